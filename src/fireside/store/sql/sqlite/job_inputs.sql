-- Read which bytes the names in some jobs' graphs meant.
SELECT job.id AS job_id, job_input.* FROM job JOIN job_input ON job_pk = pk
WHERE id IN (SELECT unhex(value) FROM json_each(:ids)) ORDER BY job_pk, position;
