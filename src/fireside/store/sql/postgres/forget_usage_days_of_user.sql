-- Forget what a user has used on each day.
DELETE FROM usage_day WHERE user_id = :user_id;
