-- Read what has happened to a job.
SELECT job_event.* FROM job JOIN job_event ON job_pk = job.pk WHERE id = :id ORDER BY job_event.pk;
