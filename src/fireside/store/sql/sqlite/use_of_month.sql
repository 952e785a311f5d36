-- Read what a user has used since the first day of a month, what of theirs has not ended, and what they store.
SELECT coalesce(sum(jobs), 0) AS jobs, coalesce(sum(gpu_us), 0) AS gpu_us, coalesce(sum(made_bytes), 0) AS made_bytes,
    (SELECT queued + held FROM user_share WHERE user_id = :user_id) AS active,
    coalesce((SELECT bytes FROM asset_bytes WHERE user_id = :user_id), 0)
    + coalesce((SELECT bytes FROM user_file_total WHERE user_id = :user_id), 0) AS stored
FROM usage_day WHERE user_id = :user_id AND day >= :month;
