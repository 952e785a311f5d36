-- Read what has happened to a job.
SELECT * FROM (
    SELECT job_event.* FROM job JOIN job_event ON job_pk = job.pk WHERE id = :id OFFSET 0
) AS found ORDER BY pk;
