-- Read a window of a user's jobs of one workflow and some classes, longest run first. Only keys are sorted.
SELECT job.* FROM (
    SELECT pk, run_us FROM job INDEXED BY job_ended_workflow_run
    WHERE user_id = :user_id AND workflow_id = :workflow_id AND class NOT IN (0, 1)
        AND class IN (SELECT value FROM json_each(:classes))
    UNION ALL
    SELECT pk, run_us FROM job INDEXED BY job_active
    WHERE user_id = :user_id AND workflow_id = :workflow_id AND class IN (0, 1)
        AND class IN (SELECT value FROM json_each(:classes))
    ORDER BY run_us DESC, pk DESC LIMIT :limit OFFSET :offset
) AS page CROSS JOIN job ON job.pk = page.pk ORDER BY job.run_us DESC, job.pk DESC;
