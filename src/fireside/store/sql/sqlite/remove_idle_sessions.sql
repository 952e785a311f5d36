-- Forget sessions that nobody has used for long.
DELETE FROM session WHERE seen_at <= :idle_at;
