-- Read a user.
SELECT * FROM "user" WHERE id = :id;
