-- Note that a job was handed to a worker.
INSERT INTO job_attempt (job_pk, attempt, fence, worker_id, assigned_at)
SELECT pk, :attempt::integer, :fence::bigint, :worker_id, :at::bigint FROM job WHERE id = :id;
