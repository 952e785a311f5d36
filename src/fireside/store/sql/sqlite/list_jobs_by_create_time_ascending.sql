-- Read a window of jobs, oldest first.
SELECT * FROM job
WHERE pk >= :user_id << 40 AND pk < (:user_id + 1) << 40 AND class IN (SELECT value FROM json_each(:classes))
    AND (:workflow_id IS NULL OR workflow_id = :workflow_id)
    AND (:states IS NULL OR state IN (SELECT value FROM json_each(:states)))
ORDER BY pk LIMIT :limit OFFSET :offset;
