-- List a user's tasks, the newest first.
SELECT * FROM task WHERE user_id = :user_id AND status IN (SELECT value FROM json_each(:statuses))
    AND (:name IS NULL OR name = :name) AND (:key IS NULL OR key = :key)
    AND (:created_after IS NULL OR created_at > :created_after)
    AND (:created_before IS NULL OR created_at < :created_before)
ORDER BY pk DESC LIMIT :limit;
