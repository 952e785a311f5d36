-- Add a user.
INSERT INTO "user" (
    name, role, weight, max_running, max_queued, max_run_seconds, keep_jobs, keep_days, reuse, created_at
) VALUES (
    :name, :role, :weight, :max_running, :max_queued, :max_run_seconds, :keep_jobs, :keep_days, :reuse, :now
) RETURNING *;
