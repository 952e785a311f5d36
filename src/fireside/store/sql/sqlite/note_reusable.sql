-- Note what ran a job that has succeeded, unless its worker did not say or the job makes something else each time.
UPDATE job_work SET snapshot_hash = attempt.snapshot_hash, models = :models
FROM job_attempt AS attempt
WHERE job_work.job_pk = (SELECT pk FROM job WHERE id = :id) AND attempt.job_pk = job_work.job_pk
    AND attempt.attempt = :attempt AND attempt.snapshot_hash <> '';
