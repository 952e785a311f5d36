-- Count the jobs of a workflow whose run times lie between two, which are edges of coarse blocks, into the blocks of
-- its history. Each class is a range of the index, and those that there are have totals.
WITH fine AS MATERIALIZED (
    SELECT job.class, run_block(run_us) AS block, count(*) AS n
    FROM job_total CROSS JOIN job
    WHERE job_total.user_id = :user_id AND job_total.workflow = :workflow
        AND job.user_id = :user_id AND workflow_id = :workflow
        AND job.class NOT IN (0, 1) AND job.class = job_total.class
        AND run_us > 0 AND run_us >= :from_run::bigint AND run_us < :below::bigint
    GROUP BY job.class, block
)
INSERT INTO job_block (user_id, workflow, axis, class, block, n)
SELECT :user_id::integer, :workflow::text, 3, class, block, n FROM fine
UNION ALL
SELECT :user_id::integer, :workflow::text, 4, class, block >> 6 AS coarse, sum(n) FROM fine GROUP BY class, coarse
ON CONFLICT (user_id, workflow, axis, class, block) DO UPDATE SET n = excluded.n;
