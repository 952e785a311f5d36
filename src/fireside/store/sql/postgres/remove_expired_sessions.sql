-- Forget sessions that have expired.
DELETE FROM session WHERE expires_at <= :now;
