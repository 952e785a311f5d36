-- Revoke a token to join with, unless it was revoked before.
UPDATE join_token SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL RETURNING id;
