-- Count a user's jobs in states that share their classes with others.
SELECT count(*) AS total FROM job
WHERE pk >= :user_id << 40 AND pk < (:user_id + 1) << 40 AND class IN (SELECT value FROM json_each(:classes))
    AND state IN (SELECT value FROM json_each(:states)) AND (:workflow_id IS NULL OR workflow_id = :workflow_id);
