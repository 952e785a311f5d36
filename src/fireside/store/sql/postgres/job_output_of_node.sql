-- Read what one node of a job has shown.
SELECT job_output.* FROM job JOIN job_output ON job_pk = job.pk WHERE id = :id AND node_id = :node_id;
