-- Count a user's totals anew, as they ought to be.
SELECT '' AS workflow, class, count(*) AS n, count(*) FILTER (WHERE run_us = 0) AS idle FROM job
WHERE pk >= :user_id::bigint << 40 AND pk < (:user_id::bigint + 1) << 40 GROUP BY class
UNION ALL
SELECT workflow_id AS workflow, class, count(*) AS n, count(*) FILTER (WHERE run_us = 0) AS idle FROM job
WHERE pk >= :user_id::bigint << 40 AND pk < (:user_id::bigint + 1) << 40 AND workflow_id IS NOT NULL
GROUP BY workflow_id, class;
