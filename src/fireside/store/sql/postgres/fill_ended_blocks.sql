-- Count all jobs of a user that have ended into the blocks of their history, which are empty.
INSERT INTO job_block (user_id, workflow, axis, class, block, n)
SELECT user_id, workflow, axis, class, CASE axis
    WHEN 1 THEN place >> 10 WHEN 2 THEN place >> 16 WHEN 3 THEN run WHEN 4 THEN run >> 6
    WHEN 5 THEN place >> 10 ELSE place >> 16 END AS block, count(*)
FROM (
    SELECT job.user_id, workflow, class, run_us, pk & 1099511627775 AS place,
        CASE WHEN run_us < 4096 THEN run_us
            ELSE (length(to_hex(run_us)) - 3) * 4096 + (run_us >> (4 * (length(to_hex(run_us)) - 3))) END AS run
    FROM job JOIN job_promoted ON job_promoted.user_id = job.user_id
    WHERE job.user_id = :user_id AND class NOT IN (0, 1) AND workflow = ''
) AS placed CROSS JOIN (VALUES (1), (2), (3), (4), (5), (6)) AS axes (axis)
WHERE axis <= 2 OR (axis <= 4) = (run_us > 0)
GROUP BY user_id, workflow, axis, class, block;
