-- Forget what the workflows of a user have used.
DELETE FROM usage_workflow WHERE user_id = :user_id;
