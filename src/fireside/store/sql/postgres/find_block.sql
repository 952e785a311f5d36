-- Find the fine block that holds the row of a place in the rising order of a history counted in blocks: how many rows
-- stand before it, and how many it holds. Its coarse block is found first, then the block among that one's 64.
-- Jobs that run are few; where they are told from those that wait, `few` counts them in (1) or out (-1).
WITH coarse AS (
    SELECT block, sum(n)::bigint AS n FROM (
        SELECT block, n FROM job_block
        WHERE user_id = :user_id AND workflow = :workflow AND axis = :ended_axis::integer + 1
            AND class = ANY (ARRAY(SELECT value::integer FROM json_array_elements_text(:ended) AS classes (value)))
        UNION ALL
        SELECT block, n FROM job_block
        WHERE user_id = :user_id AND workflow = :workflow AND axis = :active_axis::integer + 1
            AND class = ANY (ARRAY(SELECT value::integer FROM json_array_elements_text(:active) AS classes (value)))
        UNION ALL
        SELECT (pk & 1099511627775) >> 16 AS block, :few::integer AS n FROM job
        WHERE :few::integer <> 0 AND user_id = :user_id AND worker_id IS NOT NULL AND class = 1
            AND (:workflow::text = '' OR workflow_id = :workflow::text)
    ) AS counted GROUP BY block
), placed AS (
    SELECT block, n, (sum(n) OVER (ORDER BY block))::bigint - n AS before FROM coarse
), found AS MATERIALIZED (
    SELECT block, before FROM placed WHERE before <= :place::bigint AND :place::bigint < before + n
), fine AS (
    SELECT block, sum(n)::bigint AS n FROM (
        SELECT block, n FROM job_block
        WHERE user_id = :user_id AND workflow = :workflow AND axis = :ended_axis::integer
            AND class = ANY (ARRAY(SELECT value::integer FROM json_array_elements_text(:ended) AS classes (value)))
            AND block BETWEEN (SELECT block << 6 FROM found) AND (SELECT (block << 6) + 63 FROM found)
        UNION ALL
        SELECT block, n FROM job_block
        WHERE user_id = :user_id AND workflow = :workflow AND axis = :active_axis::integer
            AND class = ANY (ARRAY(SELECT value::integer FROM json_array_elements_text(:active) AS classes (value)))
            AND block BETWEEN (SELECT block << 6 FROM found) AND (SELECT (block << 6) + 63 FROM found)
        UNION ALL
        SELECT (pk & 1099511627775) >> 10 AS block, :few::integer AS n FROM job
        WHERE :few::integer <> 0 AND user_id = :user_id AND worker_id IS NOT NULL AND class = 1
            AND (:workflow::text = '' OR workflow_id = :workflow::text)
            AND (pk & 1099511627775) >> 10 BETWEEN (SELECT block << 6 FROM found)
                AND (SELECT (block << 6) + 63 FROM found)
    ) AS counted GROUP BY block
), numbered AS (
    SELECT block, n, (SELECT before FROM found) + (sum(n) OVER (ORDER BY block))::bigint - n AS before FROM fine
)
SELECT block, before, n AS "rows" FROM numbered
WHERE before <= :place::bigint AND :place::bigint < before + n
    AND EXISTS (
        SELECT 1 FROM job_promoted
        WHERE user_id = :user_id AND workflow = :workflow AND runs_below >= :counted_runs::bigint
    );
