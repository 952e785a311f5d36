-- Add a browser's session.
INSERT INTO session (digest, user_id, created_at, seen_at, expires_at)
VALUES (:digest, :user_id, :now, :now, :expires_at);
