-- Count a user's tasks that somebody runs.
SELECT count(*) AS tasks FROM task WHERE user_id = :user_id AND due_at > :now AND status = 'running';
