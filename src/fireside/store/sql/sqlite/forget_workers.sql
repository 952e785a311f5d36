-- Forget the workers that were seen long before the one that was seen last, which is never forgotten.
DELETE FROM worker WHERE seen_at < (SELECT max(seen_at) FROM worker) - :span_us RETURNING id;
