-- Count jobs that have not ended into the blocks of create order, or with `by` -1 out of them.
INSERT INTO job_block (user_id, workflow, axis, class, block, n)
SELECT job.user_id, workflow, axis, -1, (pk & 1099511627775) >> CASE axis WHEN 1 THEN 10 ELSE 16 END AS block,
    :by::bigint * count(*)
FROM job JOIN job_promoted ON job_promoted.user_id = job.user_id AND (workflow = '' OR workflow = workflow_id)
CROSS JOIN (VALUES (1), (2)) AS axes (axis)
WHERE id = ANY (ARRAY(SELECT value::uuid FROM json_array_elements_text(:ids) AS ids (value)))
GROUP BY job.user_id, workflow, axis, block
ON CONFLICT (user_id, workflow, axis, class, block) DO UPDATE SET n = job_block.n + excluded.n;
