-- Read the heavy parts of some jobs' submits.
SELECT job.id AS job_id, job_body.* FROM job JOIN job_body ON job_pk = pk
WHERE id = ANY (ARRAY(SELECT value::uuid FROM json_array_elements_text(:ids) AS ids (value)));
