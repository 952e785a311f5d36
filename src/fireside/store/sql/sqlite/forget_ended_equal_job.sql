-- Forget a job that had ended; the others are seen to.
DELETE FROM equal_job WHERE job_pk = :job_pk AND is_over = 1 RETURNING work, user_id;
