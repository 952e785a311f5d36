-- Read how many of a user's jobs have ended.
SELECT coalesce(sum(n), 0) AS ended FROM job_total
WHERE user_id = :user_id AND workflow = '' AND class NOT IN (0, 1);
