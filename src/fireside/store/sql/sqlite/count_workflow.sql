-- Count a user's jobs of one workflow and some classes.
SELECT (
    SELECT count(*) FROM job INDEXED BY job_ended_workflow
    WHERE user_id = :user_id AND workflow_id = :workflow_id AND class NOT IN (0, 1) AND class IN (SELECT value FROM json_each(:classes))
) + (
    SELECT count(*) FROM job INDEXED BY job_active
    WHERE user_id = :user_id AND workflow_id = :workflow_id AND class IN (0, 1) AND class IN (SELECT value FROM json_each(:classes))
) AS total;
