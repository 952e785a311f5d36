-- Read which bytes the names in some jobs' graphs meant.
SELECT * FROM (
    SELECT job.id AS job_id, job_input.* FROM job JOIN job_input ON job_pk = pk
    WHERE id = ANY (ARRAY(SELECT value::uuid FROM json_array_elements_text(:ids) AS ids (value))) OFFSET 0
) AS found ORDER BY job_pk, position;
