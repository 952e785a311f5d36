-- Count the job that was queued just now, unless the user has as many queued jobs as they may; give how they stand since.
-- Idling earns no credit: who had nothing in hand starts where the least served of those is who compete for a worker or,
-- while nobody does, where the most served of all is. What is still being run counts as begun, not as done.
WITH level AS NOT MATERIALIZED (
    SELECT user_share.user_id, queued, held, max_running, virtual_time - (
        SELECT coalesce(sum(charged_seconds), 0) FROM job INDEXED BY job_held
        WHERE job.user_id = user_share.user_id AND worker_id IS NOT NULL
    ) / weight AS begun
    FROM user_share JOIN user ON user.id = user_share.user_id
)
UPDATE user_share SET
    sequence = sequence + 1, last_created_at = max(:now, last_created_at + 1),
    next_number = next_number + :numbered, queued = queued + 1,
    virtual_time = CASE WHEN queued > 0 OR held > 0 THEN virtual_time ELSE max(virtual_time, coalesce(
        (
            SELECT min(begun) FROM level
            WHERE (queued > 0 OR held > 0) AND queued > 0 AND (max_running IS NULL OR held < max_running)
                AND NOT EXISTS (SELECT 1 FROM pause WHERE pause.user_id = level.user_id)
        ),
        (SELECT max(begun) FROM level)
    )) END
WHERE user_id = :user_id AND (:max_queued IS NULL OR queued < :max_queued)
    AND (:max_queued_in_all IS NULL OR :max_queued_in_all > (
        SELECT coalesce(sum(queued), 0) FROM user_share AS share WHERE share.queued > 0 OR share.held > 0
    ))
RETURNING user_id, virtual_time, queued, held,
    (SELECT weight FROM user WHERE id = user_id) AS weight, (SELECT max_running FROM user WHERE id = user_id) AS max_running;
