-- Note how an attempt ended.
UPDATE job_attempt SET ended_at = :at, outcome = :outcome
WHERE job_pk = (SELECT pk FROM job WHERE id = :id) AND attempt = :attempt;
