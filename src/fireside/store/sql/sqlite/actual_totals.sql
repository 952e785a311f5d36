-- Count a user's totals anew, as they ought to be: from the indexes, which have them in order.
SELECT '' AS workflow, class, count(*) AS n, sum(run_us = 0) AS idle
FROM job INDEXED BY job_ended_run WHERE user_id = :user_id AND class NOT IN (0, 1) GROUP BY class
UNION ALL
SELECT '' AS workflow, class, count(*) AS n, sum(run_us = 0) AS idle
FROM job INDEXED BY job_active WHERE user_id = :user_id AND class IN (0, 1) GROUP BY class
UNION ALL
SELECT workflow_id AS workflow, class, count(*) AS n, sum(run_us = 0) AS idle
FROM job INDEXED BY job_ended_workflow_run WHERE user_id = :user_id AND class NOT IN (0, 1) AND workflow_id IS NOT NULL
GROUP BY workflow_id, class
UNION ALL
SELECT workflow_id AS workflow, class, count(*) AS n, sum(run_us = 0) AS idle
FROM job INDEXED BY job_active_workflow WHERE user_id = :user_id AND class IN (0, 1) AND workflow_id IS NOT NULL
GROUP BY workflow_id, class;
