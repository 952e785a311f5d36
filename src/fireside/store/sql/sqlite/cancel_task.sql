-- End a task that has not ended, whoever runs it.
UPDATE task SET status = 'canceled', due_at = NULL, changed_at = :now, ended_at = :now
WHERE id = :id AND user_id = :user_id AND due_at IS NOT NULL RETURNING pk;
