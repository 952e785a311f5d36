-- Read a window of jobs, shortest run first.
SELECT * FROM job
WHERE user_id = :user_id AND class IN (SELECT value FROM json_each(:classes))
    AND (:workflow_id IS NULL OR workflow_id = :workflow_id)
    AND (:states IS NULL OR state IN (SELECT value FROM json_each(:states)))
ORDER BY run_us, pk LIMIT :limit OFFSET :offset;
