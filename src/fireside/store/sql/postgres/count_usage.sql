-- Write what an ended job has used into its day, by the key that submitted it.
INSERT INTO usage_day (user_id, day, key_id, jobs, gpu_us, made_bytes)
SELECT user_id, :day::integer, coalesce(key_id, 0), 1, round(charged_seconds * 1000000)::bigint,
    (SELECT coalesce(sum(size_bytes), 0)::bigint FROM asset WHERE asset.job_id = job.id)
FROM job WHERE id = :id
ON CONFLICT (user_id, day, key_id) DO UPDATE SET
    jobs = usage_day.jobs + 1, gpu_us = usage_day.gpu_us + excluded.gpu_us,
    made_bytes = usage_day.made_bytes + excluded.made_bytes;
