-- Forget an attempt that was taken back before it began.
DELETE FROM job_attempt
WHERE job_pk = (SELECT pk FROM job WHERE id = :id) AND attempt = :attempt AND started_at IS NULL;
