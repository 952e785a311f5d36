-- Count a user's tasks that have not ended.
SELECT count(*) AS tasks FROM task WHERE user_id = :user_id AND due_at IS NOT NULL;
