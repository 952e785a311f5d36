-- Read what the nodes of a job have shown, in the order of arrival.
SELECT job_output.* FROM job JOIN job_output ON job_pk = job.pk WHERE id = :id ORDER BY job_output.pk;
