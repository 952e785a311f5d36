-- Let a user whose pause is over start where the least served of those is who compete for a worker: a wait that somebody
-- chose earns no credit.
UPDATE user_share SET virtual_time = greatest(virtual_time, coalesce((
    SELECT min(virtual_time - (
        SELECT coalesce(sum(charged_seconds), 0) FROM job
        WHERE job.user_id = other.user_id AND worker_id IS NOT NULL
    ) / weight)
    FROM user_share AS other JOIN "user" ON "user".id = other.user_id
    WHERE (queued > 0 OR held > 0) AND queued > 0 AND other.user_id <> :user_id
        AND (max_running IS NULL OR held < max_running)
        AND NOT EXISTS (SELECT 1 FROM pause WHERE pause.user_id = other.user_id)
), virtual_time)) WHERE user_id = :user_id AND queued > 0;
