-- Find the user of a valid key.
SELECT "user".* FROM api_key JOIN "user" ON "user".id = api_key.user_id WHERE digest = :digest AND revoked_at IS NULL;
