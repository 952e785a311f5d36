-- Use a token to join with, while it is good.
UPDATE join_token SET uses = uses + 1, used_at = :now
WHERE id = :id AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now) AND (is_reusable OR uses = 0)
RETURNING id;
