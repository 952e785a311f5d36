-- Begin maintenance; one that has begun keeps its time and gets the new reason.
INSERT INTO maintenance (id, began_at, reason) VALUES (1, :now, :reason)
ON CONFLICT (id) DO UPDATE SET reason = excluded.reason RETURNING *;
