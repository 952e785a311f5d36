-- Change what a user may have.
UPDATE "user" SET
    weight = :weight, max_running = :max_running, max_queued = :max_queued, max_run_seconds = :max_run_seconds,
    keep_jobs = :keep_jobs, keep_days = :keep_days, reuse = :reuse
WHERE id = :id RETURNING *;
