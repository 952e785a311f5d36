-- Count the blocks of a user's history anew, as they ought to be.
WITH fine AS MATERIALIZED (
    SELECT 1 AS axis, class, (pk & 1099511627775) >> 10 AS block, count(*) AS n
    FROM job INDEXED BY job_ended
    WHERE user_id = :user_id AND class NOT IN (0, 1) GROUP BY class, block
    UNION ALL
    SELECT 3 AS axis, class,
        (SELECT (run_us >> shift) + (shift << 10) FROM run_octave WHERE low <= run_us ORDER BY low DESC LIMIT 1)
            AS block,
        count(*) AS n
    FROM job INDEXED BY job_ended_run
    WHERE user_id = :user_id AND class NOT IN (0, 1) AND run_us > 0
        AND run_us < (SELECT runs_below FROM job_promoted WHERE user_id = :user_id AND workflow = '')
    GROUP BY class, block
    UNION ALL
    SELECT 5 AS axis, class, (pk & 1099511627775) >> 10 AS block, count(*) AS n
    FROM job INDEXED BY job_ended_run
    WHERE user_id = :user_id AND class NOT IN (0, 1) AND run_us = 0 GROUP BY class, block
    UNION ALL
    SELECT 1 AS axis, -1 AS class, (pk & 1099511627775) >> 10 AS block, count(*) AS n
    FROM job INDEXED BY job_active
    WHERE user_id = :user_id AND class IN (0, 1)
    GROUP BY block
)
SELECT axis, class, block, n FROM fine
UNION ALL
SELECT axis + 1 AS axis, class, block >> 6 AS coarse, sum(n) AS n FROM fine GROUP BY axis, class, coarse;
