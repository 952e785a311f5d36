-- Read the first queued jobs of each user, the least served user first.
SELECT job.id AS job_id, job.user_id, job.number, job.fingerprint, job.requirement_id, job.changed_at AS queued_at
FROM user_share CROSS JOIN LATERAL (
    SELECT * FROM job AS mine WHERE mine.user_id = user_share.user_id AND mine.state = 'queued'
    ORDER BY number, pk LIMIT :per_user
) AS job
WHERE user_share.queued > 0
ORDER BY user_share.virtual_time, job.user_id, job.number, job.pk LIMIT :limit;
