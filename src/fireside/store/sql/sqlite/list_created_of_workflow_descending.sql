-- Read a window of a user's jobs of one workflow, newest first: the ranges of up to 20 classes are merged, not sorted.
SELECT job.* FROM (
    -- include: created_of_workflow_newest_first
) AS page CROSS JOIN job ON job.pk = page.pk ORDER BY job.pk DESC;
