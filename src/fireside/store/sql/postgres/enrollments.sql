-- Read all workers that have joined.
SELECT * FROM enrollment ORDER BY worker_id;
