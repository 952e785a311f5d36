-- Read those of a user's jobs that ended first.
SELECT id, ended_at, outputs_count FROM job
WHERE user_id = :user_id AND ended_at IS NOT NULL ORDER BY ended_at, pk LIMIT :limit;
