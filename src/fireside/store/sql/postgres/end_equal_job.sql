-- Note that a job that others wait for, or that others are equal to, has ended.
UPDATE equal_job SET is_over = true WHERE job_pk = (SELECT pk FROM job WHERE id = :id) RETURNING job_pk;
