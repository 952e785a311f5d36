-- Find the oldest of the jobs that make this and wait.
SELECT min(job_pk) AS job_pk FROM equal_job WHERE work = :work AND user_id = :user_id AND requirement_id IS NOT NULL;
