-- Read what everybody has used on the days of a span, by user and key; each user's days lie together.
SELECT user_id, day, key_id, jobs, gpu_us, made_bytes
FROM "user" JOIN usage_day ON user_id = "user".id AND day BETWEEN :first AND :last ORDER BY day, user_id, key_id;
