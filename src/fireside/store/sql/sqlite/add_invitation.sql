-- Invite somebody.
INSERT INTO invitation (digest, name, role, weight, created_at, expires_at)
VALUES (:digest, :name, :role, :weight, :now, :expires_at) RETURNING *;
