-- Add an API key.
INSERT INTO api_key (user_id, digest, prefix, label, created_at, scopes, expires_at)
VALUES (:user_id, :digest, :prefix, :label, :now, :scopes, :expires_at) RETURNING *;
