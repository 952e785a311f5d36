-- Add a one-time login link.
INSERT INTO login_link (digest, user_id, sets_password, expires_at)
VALUES (:digest, :user_id, :sets_password, :expires_at);
