-- Read the task of this key that has not ended.
SELECT * FROM task WHERE user_id = :user_id AND key = :key AND due_at IS NOT NULL;
