-- Forget removed workers whose key has ended, unless it is known what they could run; whoever has the name now has none of it.
DELETE FROM removed_worker WHERE key_ends_at < :before
    AND (worker_id NOT IN (SELECT id FROM worker) OR worker_id IN (SELECT worker_id FROM enrollment)) RETURNING *;
