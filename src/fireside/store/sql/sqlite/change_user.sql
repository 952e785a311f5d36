-- Change what a user is and may have, unless they are the last admin and would be one no more.
UPDATE user SET
    role = :role, weight = :weight, max_running = :max_running, max_queued = :max_queued,
    max_run_seconds = :max_run_seconds, keep_jobs = :keep_jobs, keep_days = :keep_days, reuse = :reuse,
    quota_gpu_seconds = :quota_gpu_seconds, quota_jobs = :quota_jobs, quota_bytes = :quota_bytes
WHERE id = :id AND deleted_at IS NULL AND (
    :role = 'admin' OR role <> 'admin'
    OR EXISTS (SELECT 1 FROM user AS other WHERE other.role = 'admin' AND other.id <> :id)
) RETURNING *;
