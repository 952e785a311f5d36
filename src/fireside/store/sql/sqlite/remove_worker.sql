-- Forget a worker, unless it is the last: what was ever known is still to be known.
DELETE FROM worker WHERE id = :id AND EXISTS (SELECT 1 FROM worker AS other WHERE other.id <> :id) RETURNING id;
