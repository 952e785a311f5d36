-- Let a worker take jobs again.
DELETE FROM drained_worker WHERE worker_id = :worker_id RETURNING worker_id;
