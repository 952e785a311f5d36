-- Read a window of a user's jobs, newest first.
SELECT job.* FROM (
    -- include: created_newest_first
) AS page JOIN job ON job.pk = page.pk ORDER BY job.pk DESC;
