-- Count all jobs of a user that have ended into the blocks of their history, which are empty.
-- The coarse blocks are summed up from the fine ones: sorting or hashing each job once more would cost the most.
WITH fine AS MATERIALIZED (
    SELECT 1 AS axis, class, (pk & 1099511627775) >> 10 AS block, count(*) AS n
    FROM job
    WHERE user_id = :user_id AND class NOT IN (0, 1) GROUP BY class, block
    UNION ALL
    SELECT 3 AS axis, class, run_block(run_us) AS block, count(*) AS n
    FROM job
    WHERE user_id = :user_id AND class NOT IN (0, 1) AND run_us > 0 GROUP BY class, block
    UNION ALL
    SELECT 5 AS axis, class, (pk & 1099511627775) >> 10 AS block, count(*) AS n
    FROM job
    WHERE user_id = :user_id AND class NOT IN (0, 1) AND run_us = 0 GROUP BY class, block
)
INSERT INTO job_block (user_id, workflow, axis, class, block, n)
SELECT :user_id::integer, '', axis, class, block, n FROM fine
UNION ALL
SELECT :user_id::integer, '', axis + 1, class, block >> 6 AS coarse, sum(n)
FROM fine GROUP BY axis, class, coarse;
