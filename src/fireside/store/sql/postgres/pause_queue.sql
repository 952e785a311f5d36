-- Hand out nothing of a queue any more; of one that is paused already only the reason changes.
INSERT INTO pause (user_id, origin, paused_at, reason) VALUES (:user_id, :origin, :now, :reason)
ON CONFLICT (user_id, origin) DO UPDATE SET reason = excluded.reason RETURNING *;
