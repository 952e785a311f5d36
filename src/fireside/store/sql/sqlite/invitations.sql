-- Read the invitations that can be used, oldest first.
SELECT * FROM invitation WHERE expires_at > :now ORDER BY id;
