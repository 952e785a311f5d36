-- Find the newest jobs of some users, by a range of keys, that have made this.
SELECT job.id, job.user_id, snapshot_hash, models FROM job_work JOIN job ON job.pk = job_work.job_pk
WHERE work = :work AND snapshot_hash IS NOT NULL AND job_work.job_pk BETWEEN :first AND :last
ORDER BY job_work.job_pk DESC LIMIT 20;
