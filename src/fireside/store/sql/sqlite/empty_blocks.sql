-- Read which blocks of some ended jobs, all counted out of them already, have become empty.
WITH touched AS MATERIALIZED (
    SELECT DISTINCT user_id, workflow, axis, class, CASE axis
        WHEN 1 THEN place >> 10 WHEN 2 THEN place >> 16 WHEN 3 THEN run WHEN 4 THEN run >> 6
        WHEN 5 THEN place >> 10 ELSE place >> 16 END AS block
    FROM (
        SELECT job.user_id, workflow, class, run_us, runs_below, pk & 1099511627775 AS place,
            (SELECT (run_us >> shift) + (shift << 10) FROM run_octave WHERE low <= run_us ORDER BY low DESC LIMIT 1)
                AS run
        FROM job JOIN job_promoted ON job_promoted.user_id = job.user_id AND (workflow = '' OR workflow = workflow_id)
        WHERE id IN (SELECT unhex(value) FROM json_each(:ids))
    ) AS placed CROSS JOIN (SELECT column1 AS axis FROM (VALUES (1), (2), (3), (4), (5), (6))) AS axes
    WHERE axis <= 2 OR (axis <= 4 AND run_us > 0 AND run_us < runs_below) OR (axis >= 5 AND run_us = 0)
)
SELECT workflow, axis, class, block FROM touched
WHERE (
    SELECT n FROM job_block
    WHERE job_block.user_id = touched.user_id AND job_block.workflow = touched.workflow
        AND job_block.axis = touched.axis AND job_block.class = touched.class AND job_block.block = touched.block
) = 0;
