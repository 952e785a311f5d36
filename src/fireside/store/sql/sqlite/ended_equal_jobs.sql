-- Read the jobs that have ended and that others wait for; the id of one that was deleted is null.
SELECT equal_job.job_pk, equal_job.user_id, work, job.id
FROM equal_job LEFT JOIN job ON job.pk = equal_job.job_pk WHERE is_over = 1 ORDER BY equal_job.job_pk LIMIT 100;
