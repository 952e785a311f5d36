-- A window of a user's jobs of one workflow and some classes, newest first: the ranges of up to 20 classes, merged.
SELECT pk FROM job INDEXED BY job_ended_workflow
WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_0 AND pk < :bound
UNION ALL
SELECT pk FROM job INDEXED BY job_ended_workflow
WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_1 AND pk < :bound
UNION ALL
SELECT pk FROM job INDEXED BY job_ended_workflow
WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_2 AND pk < :bound
UNION ALL
SELECT pk FROM job INDEXED BY job_ended_workflow
WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_3 AND pk < :bound
UNION ALL
SELECT pk FROM job INDEXED BY job_ended_workflow
WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_4 AND pk < :bound
UNION ALL
SELECT pk FROM job INDEXED BY job_ended_workflow
WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_5 AND pk < :bound
UNION ALL
SELECT pk FROM job INDEXED BY job_ended_workflow
WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_6 AND pk < :bound
UNION ALL
SELECT pk FROM job INDEXED BY job_ended_workflow
WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_7 AND pk < :bound
UNION ALL
SELECT pk FROM job INDEXED BY job_ended_workflow
WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_8 AND pk < :bound
UNION ALL
SELECT pk FROM job INDEXED BY job_ended_workflow
WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_9 AND pk < :bound
UNION ALL
SELECT pk FROM job INDEXED BY job_ended_workflow
WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_10 AND pk < :bound
UNION ALL
SELECT pk FROM job INDEXED BY job_ended_workflow
WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_11 AND pk < :bound
UNION ALL
SELECT pk FROM job INDEXED BY job_ended_workflow
WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_12 AND pk < :bound
UNION ALL
SELECT pk FROM job INDEXED BY job_ended_workflow
WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_13 AND pk < :bound
UNION ALL
SELECT pk FROM job INDEXED BY job_ended_workflow
WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_14 AND pk < :bound
UNION ALL
SELECT pk FROM job INDEXED BY job_ended_workflow
WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_15 AND pk < :bound
UNION ALL
SELECT pk FROM job INDEXED BY job_ended_workflow
WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_16 AND pk < :bound
UNION ALL
SELECT pk FROM job INDEXED BY job_ended_workflow
WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_17 AND pk < :bound
UNION ALL
SELECT pk FROM job INDEXED BY job_active_workflow
WHERE user_id = :user_id AND workflow_id = :workflow AND class IN (0, 1) AND class = :active_0 AND pk < :bound
UNION ALL
SELECT pk FROM job INDEXED BY job_active_workflow
WHERE user_id = :user_id AND workflow_id = :workflow AND class IN (0, 1) AND class = :active_1 AND pk < :bound
ORDER BY pk DESC LIMIT :limit OFFSET :offset
