-- Read the invitations that can be used, by their end.
SELECT * FROM invitation WHERE expires_at > :now ORDER BY expires_at;
