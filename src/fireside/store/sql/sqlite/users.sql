-- Read all users, oldest first.
SELECT * FROM user WHERE deleted_at IS NULL ORDER BY id;
