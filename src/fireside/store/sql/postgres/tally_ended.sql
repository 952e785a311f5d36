-- Count jobs that have ended into the blocks of their histories, or with `by` -1 out of them.
INSERT INTO job_block (user_id, workflow, axis, class, block, n)
SELECT user_id, workflow, axis, class, CASE axis
    WHEN 1 THEN place >> 10 WHEN 2 THEN place >> 16 WHEN 3 THEN run WHEN 4 THEN run >> 6
    WHEN 5 THEN place >> 10 ELSE place >> 16 END AS block, :by::bigint * count(*)
FROM (
    SELECT job.user_id, workflow, class, run_us, runs_below,
        pk & 1099511627775 AS place, run_block(run_us) AS run
    FROM job JOIN job_promoted ON job_promoted.user_id = job.user_id AND (workflow = '' OR workflow = workflow_id)
    WHERE id = ANY (ARRAY(SELECT value::uuid FROM json_array_elements_text(:ids) AS ids (value)))
) AS placed CROSS JOIN (VALUES (1), (2), (3), (4), (5), (6)) AS axes (axis)
WHERE axis <= 2 OR (axis <= 4 AND run_us > 0 AND run_us < runs_below) OR (axis >= 5 AND run_us = 0)
GROUP BY user_id, workflow, axis, class, block
ON CONFLICT (user_id, workflow, axis, class, block) DO UPDATE SET n = job_block.n + excluded.n;
