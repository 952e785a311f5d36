-- Read the first queued jobs of each user who is not paused, the least served user first, with what runs like them took.
SELECT job.*, run_estimate.seconds AS estimate_seconds
FROM user_share CROSS JOIN LATERAL (
    SELECT * FROM job AS mine WHERE mine.user_id = user_share.user_id AND mine.state = 'queued'
    ORDER BY number, pk LIMIT :per_user
) AS job LEFT JOIN run_estimate ON run_estimate.fingerprint = job.fingerprint
WHERE user_share.queued > 0
    AND NOT EXISTS (SELECT 1 FROM pause WHERE pause.user_id IN (0, user_share.user_id))
ORDER BY user_share.virtual_time, job.user_id, job.number, job.pk
LIMIT :per_user * greatest(:per_user, (SELECT count(*) FROM user_share WHERE queued > 0 OR held > 0));
