-- Ask whether the database writes.
UPDATE health SET checks = checks + 1;
