-- Assets, named or made by jobs that are.
SELECT pk FROM asset
WHERE id = ANY (ARRAY(SELECT value::uuid FROM json_array_elements_text(:ids) AS ids (value)))
UNION ALL
SELECT pk FROM asset
WHERE job_id = ANY (ARRAY(SELECT value::uuid FROM json_array_elements_text(:jobs) AS ids (value)))
