-- Find the deleted users who have something left.
SELECT "user".id FROM "user" JOIN user_share ON user_id = "user".id WHERE deleted_at IS NOT NULL;
