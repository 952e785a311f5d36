-- Read what a user has used on the days of a span, by key.
SELECT user_id, day, key_id, jobs, gpu_us, made_bytes FROM usage_day
WHERE user_id = :user_id AND day BETWEEN :first AND :last ORDER BY day, key_id;
