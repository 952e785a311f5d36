-- Forget sessions that have expired, or that nobody has used for long.
DELETE FROM session WHERE expires_at <= :now OR seen_at <= :idle_at;
