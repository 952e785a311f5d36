-- Change what a user may have.
UPDATE "user" SET
    weight = :weight, max_running = :max_running, max_queued = :max_queued, max_run_seconds = :max_run_seconds,
    keep_jobs = :keep_jobs, keep_days = :keep_days, reuse = :reuse,
    quota_gpu_seconds = :quota_gpu_seconds, quota_jobs = :quota_jobs, quota_bytes = :quota_bytes
WHERE id = :id RETURNING *;
