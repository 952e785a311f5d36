-- Go on with a session under another token.
INSERT INTO session (digest, user_id, created_at, seen_at, expires_at)
SELECT :new_digest, user_id, :now, :now, expires_at FROM session WHERE digest = :digest AND expires_at > :end_at
RETURNING expires_at;
