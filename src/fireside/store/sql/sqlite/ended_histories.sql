-- Read of the next users how many of their jobs have ended, when the first of these did, and what is kept of them.
SELECT id AS user_id, keep_jobs, keep_days, (
    SELECT coalesce(sum(n), 0) FROM job_total
    WHERE user_id = user.id AND workflow = '' AND class NOT IN (0, 1)
) AS ended, (
    SELECT ended_at FROM job INDEXED BY job_ended_at
    WHERE user_id = user.id AND ended_at IS NOT NULL ORDER BY ended_at LIMIT 1
) AS first_ended_at
FROM user WHERE id > :after ORDER BY id LIMIT :limit;
