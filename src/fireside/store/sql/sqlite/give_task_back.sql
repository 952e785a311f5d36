-- Let a task wait for its next turn, which begins anew.
UPDATE task SET status = 'created', due_at = :next_at, changed_at = :now, bytes_done = 0, error = :error
WHERE id = :id AND attempt = :attempt AND status = 'running' RETURNING *;
