-- Read what ran a job that may be reused; nothing of any other.
SELECT job.id, job.user_id, snapshot_hash, models FROM job_work JOIN job ON job.pk = job_work.job_pk
WHERE job.id = :id AND snapshot_hash IS NOT NULL;
