-- Find a worker that has joined by its name.
SELECT * FROM enrollment WHERE worker_id = :worker_id;
