-- Let a worker take no more jobs.
INSERT INTO drained_worker (worker_id, drained_at) VALUES (:worker_id, :now) ON CONFLICT (worker_id) DO NOTHING
RETURNING worker_id;
