-- Read a window of a user's jobs that ran, shortest run first. The bound is at least 1.
-- The ranges of up to 18 classes are merged; each says its order, or the planner would sort them all.
SELECT job.* FROM (
    SELECT pk FROM (
        (SELECT pk, run_us FROM job
         WHERE user_id = :user_id AND class NOT IN (0, 1) AND class = :ended_0 AND run_us >= :bound
         ORDER BY run_us, pk)
        UNION ALL
        (SELECT pk, run_us FROM job
         WHERE user_id = :user_id AND class NOT IN (0, 1) AND class = :ended_1 AND run_us >= :bound
         ORDER BY run_us, pk)
        UNION ALL
        (SELECT pk, run_us FROM job
         WHERE user_id = :user_id AND class NOT IN (0, 1) AND class = :ended_2 AND run_us >= :bound
         ORDER BY run_us, pk)
        UNION ALL
        (SELECT pk, run_us FROM job
         WHERE user_id = :user_id AND class NOT IN (0, 1) AND class = :ended_3 AND run_us >= :bound
         ORDER BY run_us, pk)
        UNION ALL
        (SELECT pk, run_us FROM job
         WHERE user_id = :user_id AND class NOT IN (0, 1) AND class = :ended_4 AND run_us >= :bound
         ORDER BY run_us, pk)
        UNION ALL
        (SELECT pk, run_us FROM job
         WHERE user_id = :user_id AND class NOT IN (0, 1) AND class = :ended_5 AND run_us >= :bound
         ORDER BY run_us, pk)
        UNION ALL
        (SELECT pk, run_us FROM job
         WHERE user_id = :user_id AND class NOT IN (0, 1) AND class = :ended_6 AND run_us >= :bound
         ORDER BY run_us, pk)
        UNION ALL
        (SELECT pk, run_us FROM job
         WHERE user_id = :user_id AND class NOT IN (0, 1) AND class = :ended_7 AND run_us >= :bound
         ORDER BY run_us, pk)
        UNION ALL
        (SELECT pk, run_us FROM job
         WHERE user_id = :user_id AND class NOT IN (0, 1) AND class = :ended_8 AND run_us >= :bound
         ORDER BY run_us, pk)
        UNION ALL
        (SELECT pk, run_us FROM job
         WHERE user_id = :user_id AND class NOT IN (0, 1) AND class = :ended_9 AND run_us >= :bound
         ORDER BY run_us, pk)
        UNION ALL
        (SELECT pk, run_us FROM job
         WHERE user_id = :user_id AND class NOT IN (0, 1) AND class = :ended_10 AND run_us >= :bound
         ORDER BY run_us, pk)
        UNION ALL
        (SELECT pk, run_us FROM job
         WHERE user_id = :user_id AND class NOT IN (0, 1) AND class = :ended_11 AND run_us >= :bound
         ORDER BY run_us, pk)
        UNION ALL
        (SELECT pk, run_us FROM job
         WHERE user_id = :user_id AND class NOT IN (0, 1) AND class = :ended_12 AND run_us >= :bound
         ORDER BY run_us, pk)
        UNION ALL
        (SELECT pk, run_us FROM job
         WHERE user_id = :user_id AND class NOT IN (0, 1) AND class = :ended_13 AND run_us >= :bound
         ORDER BY run_us, pk)
        UNION ALL
        (SELECT pk, run_us FROM job
         WHERE user_id = :user_id AND class NOT IN (0, 1) AND class = :ended_14 AND run_us >= :bound
         ORDER BY run_us, pk)
        UNION ALL
        (SELECT pk, run_us FROM job
         WHERE user_id = :user_id AND class NOT IN (0, 1) AND class = :ended_15 AND run_us >= :bound
         ORDER BY run_us, pk)
        UNION ALL
        (SELECT pk, run_us FROM job
         WHERE user_id = :user_id AND class NOT IN (0, 1) AND class = :ended_16 AND run_us >= :bound
         ORDER BY run_us, pk)
        UNION ALL
        (SELECT pk, run_us FROM job
         WHERE user_id = :user_id AND class NOT IN (0, 1) AND class = :ended_17 AND run_us >= :bound
         ORDER BY run_us, pk)
    ) AS keys ORDER BY run_us, pk LIMIT :limit OFFSET :offset
) AS page JOIN job ON job.pk = page.pk ORDER BY job.run_us, job.pk;
