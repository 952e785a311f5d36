-- Note that a job was handed to a worker, and what that one runs.
INSERT INTO job_attempt (job_pk, attempt, fence, worker_id, assigned_at, snapshot_hash)
SELECT pk, :attempt, :fence, :worker_id, :at,
    coalesce((SELECT snapshot_hash FROM worker WHERE worker.id = :worker_id), '')
FROM job WHERE id = :id;
