-- Read a window of a user's jobs that never ran of one workflow, newest first: the ranges of up to 20 classes are merged, not sorted.
SELECT job.* FROM (
    SELECT pk FROM job INDEXED BY job_ended_workflow_run
    WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_0 AND run_us = 0 AND pk < :bound
    UNION ALL
    SELECT pk FROM job INDEXED BY job_ended_workflow_run
    WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_1 AND run_us = 0 AND pk < :bound
    UNION ALL
    SELECT pk FROM job INDEXED BY job_ended_workflow_run
    WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_2 AND run_us = 0 AND pk < :bound
    UNION ALL
    SELECT pk FROM job INDEXED BY job_ended_workflow_run
    WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_3 AND run_us = 0 AND pk < :bound
    UNION ALL
    SELECT pk FROM job INDEXED BY job_ended_workflow_run
    WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_4 AND run_us = 0 AND pk < :bound
    UNION ALL
    SELECT pk FROM job INDEXED BY job_ended_workflow_run
    WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_5 AND run_us = 0 AND pk < :bound
    UNION ALL
    SELECT pk FROM job INDEXED BY job_ended_workflow_run
    WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_6 AND run_us = 0 AND pk < :bound
    UNION ALL
    SELECT pk FROM job INDEXED BY job_ended_workflow_run
    WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_7 AND run_us = 0 AND pk < :bound
    UNION ALL
    SELECT pk FROM job INDEXED BY job_ended_workflow_run
    WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_8 AND run_us = 0 AND pk < :bound
    UNION ALL
    SELECT pk FROM job INDEXED BY job_ended_workflow_run
    WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_9 AND run_us = 0 AND pk < :bound
    UNION ALL
    SELECT pk FROM job INDEXED BY job_ended_workflow_run
    WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_10 AND run_us = 0 AND pk < :bound
    UNION ALL
    SELECT pk FROM job INDEXED BY job_ended_workflow_run
    WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_11 AND run_us = 0 AND pk < :bound
    UNION ALL
    SELECT pk FROM job INDEXED BY job_ended_workflow_run
    WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_12 AND run_us = 0 AND pk < :bound
    UNION ALL
    SELECT pk FROM job INDEXED BY job_ended_workflow_run
    WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_13 AND run_us = 0 AND pk < :bound
    UNION ALL
    SELECT pk FROM job INDEXED BY job_ended_workflow_run
    WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_14 AND run_us = 0 AND pk < :bound
    UNION ALL
    SELECT pk FROM job INDEXED BY job_ended_workflow_run
    WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_15 AND run_us = 0 AND pk < :bound
    UNION ALL
    SELECT pk FROM job INDEXED BY job_ended_workflow_run
    WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_16 AND run_us = 0 AND pk < :bound
    UNION ALL
    SELECT pk FROM job INDEXED BY job_ended_workflow_run
    WHERE user_id = :user_id AND workflow_id = :workflow AND class NOT IN (0, 1) AND class = :ended_17 AND run_us = 0 AND pk < :bound
    UNION ALL
    SELECT pk FROM job INDEXED BY job_active_workflow
    WHERE user_id = :user_id AND workflow_id = :workflow AND class IN (0, 1) AND class = :active_0 AND pk < :bound
    UNION ALL
    SELECT pk FROM job INDEXED BY job_active_workflow
    WHERE user_id = :user_id AND workflow_id = :workflow AND class IN (0, 1) AND class = :active_1 AND pk < :bound
    ORDER BY pk DESC LIMIT :limit OFFSET :offset
) AS page CROSS JOIN job ON job.pk = page.pk ORDER BY job.pk DESC;
