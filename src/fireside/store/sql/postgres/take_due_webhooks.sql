-- Take a user's webhooks whose time has come, the ones that have waited longest, and keep them from others until then.
UPDATE webhook SET due_at = :until
WHERE pk IN (SELECT pk FROM webhook WHERE user_id = :user_id AND due_at <= :now ORDER BY due_at, pk LIMIT :limit)
RETURNING *;
