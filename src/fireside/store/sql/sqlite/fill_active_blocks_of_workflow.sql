-- Count all jobs of a workflow that have not ended into the blocks of its history, which have none of them.
WITH fine AS MATERIALIZED (
    SELECT 1 AS axis, -1 AS class, (pk & 1099511627775) >> 10 AS block, count(*) AS n
    FROM job INDEXED BY job_active_workflow
    WHERE user_id = :user_id AND workflow_id = :workflow AND class IN (0, 1)
    GROUP BY block
)
INSERT INTO job_block (user_id, workflow, axis, class, block, n)
SELECT :user_id, :workflow, axis, class, block, n FROM fine
UNION ALL
SELECT :user_id, :workflow, axis + 1, class, block >> 6 AS coarse, sum(n)
FROM fine GROUP BY axis, class, coarse;
