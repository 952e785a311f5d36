-- Read the user of a name.
SELECT * FROM "user" WHERE name = :name;
