-- Read a window of a user's jobs of some classes, oldest first. Only keys are sorted.
SELECT job.* FROM (
    SELECT pk FROM job INDEXED BY job_ended
    WHERE user_id = :user_id AND class NOT IN (0, 1) AND class IN (SELECT value FROM json_each(:classes))
    UNION ALL
    SELECT pk FROM job INDEXED BY job_active
    WHERE user_id = :user_id AND class IN (0, 1) AND class IN (SELECT value FROM json_each(:classes))
    ORDER BY pk LIMIT :limit OFFSET :offset
) AS page CROSS JOIN job ON job.pk = page.pk ORDER BY job.pk;
