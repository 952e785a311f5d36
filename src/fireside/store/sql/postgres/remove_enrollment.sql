-- Forget the credential of a worker.
DELETE FROM enrollment WHERE worker_id = :worker_id RETURNING *;
