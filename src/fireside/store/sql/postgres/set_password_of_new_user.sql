-- Give the user who was just added a password.
UPDATE "user" SET password_hash = :password_hash WHERE name = :name RETURNING *;
