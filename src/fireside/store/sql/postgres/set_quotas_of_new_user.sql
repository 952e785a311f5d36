-- Say what a user who was added just now may use.
UPDATE "user" SET quota_gpu_seconds = :quota_gpu_seconds, quota_jobs = :quota_jobs, quota_bytes = :quota_bytes
WHERE name = :name RETURNING *;
