-- Forget the sealed secrets of a job that has ended.
UPDATE job_body SET sealed_secrets = NULL
WHERE job_pk = (SELECT pk FROM job WHERE id = :id) AND sealed_secrets IS NOT NULL;
