-- Set what a user's password is checked by.
UPDATE "user" SET password_hash = :password_hash WHERE id = :id;
