-- Count all jobs of a history that have not ended into its blocks, which have none of them.
INSERT INTO job_block (user_id, workflow, axis, class, block, n)
SELECT job.user_id, workflow, axis, -1, (pk & 1099511627775) >> CASE axis WHEN 1 THEN 10 ELSE 16 END AS block, count(*)
FROM job JOIN job_promoted ON job_promoted.user_id = job.user_id
CROSS JOIN (VALUES (1), (2)) AS axes (axis)
WHERE job.user_id = :user_id AND class IN (0, 1) AND workflow = :workflow AND (workflow = '' OR workflow = workflow_id)
GROUP BY job.user_id, workflow, axis, block;
