-- Read a window of a user's jobs in states that share their classes with others, oldest first.
SELECT * FROM job
WHERE pk >= :user_id << 40 AND pk < (:user_id + 1) << 40 AND class IN (SELECT value FROM json_each(:classes))
    AND state IN (SELECT value FROM json_each(:states)) AND (:workflow_id IS NULL OR workflow_id = :workflow_id)
ORDER BY pk LIMIT :limit OFFSET :offset;
