-- Have a job that waits for an equal one ask for no worker.
UPDATE job SET requirement_id = :awaiting
WHERE id = :id AND EXISTS (SELECT 1 FROM equal_job WHERE job_pk = job.pk AND equal_job.requirement_id IS NOT NULL)
RETURNING id;
