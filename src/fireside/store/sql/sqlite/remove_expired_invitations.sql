-- Forget invitations that nobody has used in time.
DELETE FROM invitation WHERE expires_at <= :now;
