-- Find a valid key.
SELECT * FROM api_key
WHERE digest = :digest AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now);
