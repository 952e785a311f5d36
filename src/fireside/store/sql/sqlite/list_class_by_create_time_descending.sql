-- Read a window of a user's jobs of one class that has ended, newest first: the index has them in this order.
SELECT job.* FROM (
    SELECT pk FROM job INDEXED BY job_ended WHERE user_id = :user_id AND class NOT IN (0, 1) AND class = :class
    ORDER BY pk DESC LIMIT :limit OFFSET :offset
) AS page CROSS JOIN job ON job.pk = page.pk ORDER BY job.pk DESC;
