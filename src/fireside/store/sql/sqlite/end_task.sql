-- End a task, once.
UPDATE task SET status = :status, due_at = NULL, changed_at = :now, ended_at = :now, result = :result, error = :error
WHERE id = :id AND attempt = :attempt AND status = 'running' RETURNING *;
