-- Write how far a task is, and keep it from others for longer.
UPDATE task SET due_at = :until, changed_at = :now, bytes_done = :bytes_done, bytes_total = :bytes_total
WHERE id = :id AND attempt = :attempt AND status = 'running' RETURNING *;
