-- List a user's tasks, the oldest first.
SELECT * FROM task WHERE user_id = :user_id
    AND status = ANY (ARRAY(SELECT value FROM json_array_elements_text(:statuses) AS statuses (value)))
    AND (:name::text IS NULL OR name = :name::text) AND (:key::text IS NULL OR key = :key::text)
    AND (:created_after::bigint IS NULL OR created_at > :created_after::bigint)
    AND (:created_before::bigint IS NULL OR created_at < :created_before::bigint)
ORDER BY pk ASC LIMIT :limit;
