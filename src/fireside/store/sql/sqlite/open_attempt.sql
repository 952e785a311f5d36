-- Note that a job was handed to a worker.
INSERT INTO job_attempt (job_pk, attempt, fence, worker_id, assigned_at)
SELECT pk, :attempt, :fence, :worker_id, :at FROM job WHERE id = :id;
