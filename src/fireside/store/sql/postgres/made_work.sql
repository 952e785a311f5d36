-- Read what ran a job that may be reused; nothing of any other.
SELECT job.id, job.user_id, snapshot_hash, models
FROM job CROSS JOIN LATERAL (SELECT * FROM job_work WHERE job_pk = job.pk OFFSET 0) AS job_work
WHERE job.id = :id AND snapshot_hash IS NOT NULL;
