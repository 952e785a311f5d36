-- Read who came first, also when they are deleted.
SELECT * FROM "user" ORDER BY id LIMIT 1;
