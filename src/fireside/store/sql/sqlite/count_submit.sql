-- Count the job that was queued just now, unless the user has as many queued jobs as they may.
UPDATE user_share SET
    sequence = sequence + 1, last_created_at = max(:now, last_created_at + 1),
    next_number = next_number + :numbered, queued = queued + 1
WHERE user_id = :user_id AND (:max_queued IS NULL OR queued < :max_queued);
