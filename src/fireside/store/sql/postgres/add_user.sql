-- Add a user.
INSERT INTO "user" (name, role, weight, max_running, max_queued, max_run_seconds, created_at)
VALUES (:name, :role, :weight, :max_running, :max_queued, :max_run_seconds, :now) RETURNING *;
