-- Read the histories that have become large and are not counted in blocks yet.
SELECT user_id, workflow FROM job_total AS one
WHERE NOT EXISTS (SELECT 1 FROM job_promoted WHERE user_id = one.user_id AND workflow = one.workflow)
GROUP BY user_id, workflow HAVING sum(n) >= :at_least;
