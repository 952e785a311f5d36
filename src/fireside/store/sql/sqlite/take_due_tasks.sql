-- Take a user's tasks whose time has come, the ones that have waited longest.
UPDATE task SET
    status = 'running', attempt = attempt + 1, due_at = :until, changed_at = :now,
    started_at = coalesce(started_at, :now)
WHERE pk IN (SELECT pk FROM task WHERE user_id = :user_id AND due_at <= :now ORDER BY due_at, pk LIMIT :limit)
RETURNING *;
