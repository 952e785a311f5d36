-- Add a user.
INSERT INTO "user" (name, role, weight, max_running, max_queued, created_at)
VALUES (:name, :role, :weight, :max_running, :max_queued, :now) RETURNING *;
