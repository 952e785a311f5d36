-- Read jobs of some users, by a range of numbers, that make this and wait in the queue.
SELECT job.* FROM equal_job CROSS JOIN LATERAL (SELECT * FROM job WHERE pk = equal_job.job_pk OFFSET 0) AS job
WHERE work = :work AND equal_job.user_id BETWEEN :first AND :last AND job.state = 'queued'
ORDER BY equal_job.user_id, equal_job.job_pk LIMIT :limit;
