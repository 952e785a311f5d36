-- Note that the worker began.
UPDATE job_attempt SET started_at = :at
WHERE job_pk = (SELECT pk FROM job WHERE id = :id) AND attempt = :attempt;
