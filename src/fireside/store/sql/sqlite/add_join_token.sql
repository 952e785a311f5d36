-- Add a token to join with.
INSERT INTO join_token (digest, prefix, label, is_reusable, created_at, expires_at)
VALUES (:digest, :prefix, :label, :is_reusable, :now, :expires_at) RETURNING *;
