-- Read what the nodes of a job have shown, in the order of arrival.
SELECT * FROM (
    SELECT job_output.* FROM job JOIN job_output ON job_pk = job.pk WHERE id = :id OFFSET 0
) AS found ORDER BY pk;
