-- Find a user whose quotas allow the job that was counted just now, with what ended this month and what has not ended.
SELECT user_id FROM user_share WHERE user_id = :user_id
    AND (:gpu_us::bigint IS NULL OR :gpu_us::bigint > (
        SELECT coalesce(sum(gpu_us), 0) FROM usage_day AS used WHERE used.user_id = :user_id AND day >= :month
    ))
    AND (:jobs::bigint IS NULL OR :jobs::bigint >= queued + held + (
        SELECT coalesce(sum(jobs), 0) FROM usage_day AS used WHERE used.user_id = :user_id AND day >= :month
    ))
    AND (:bytes::bigint IS NULL OR :bytes::bigint > (
        coalesce((SELECT bytes FROM asset_bytes AS stored WHERE stored.user_id = :user_id), 0)
        + coalesce((SELECT bytes FROM user_file_total AS stored WHERE stored.user_id = :user_id), 0)
    ));
