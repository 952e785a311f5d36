-- Read all users, oldest first.
SELECT * FROM "user" ORDER BY id;
