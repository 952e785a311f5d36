-- Read a window of a user's jobs of one class that has ended, longest run first: the index has them in this order.
SELECT job.* FROM (
    SELECT pk FROM job INDEXED BY job_ended_run WHERE user_id = :user_id AND class NOT IN (0, 1) AND class = :class
    ORDER BY run_us DESC, pk DESC LIMIT :limit OFFSET :offset
) AS page CROSS JOIN job ON job.pk = page.pk ORDER BY job.run_us DESC, job.pk DESC;
