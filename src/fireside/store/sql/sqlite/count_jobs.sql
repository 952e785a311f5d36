-- Count the jobs a listing is over.
SELECT count(*) AS total FROM job
WHERE user_id = :user_id AND class IN (SELECT value FROM json_each(:classes))
    AND (:workflow_id IS NULL OR workflow_id = :workflow_id)
    AND (:states IS NULL OR state IN (SELECT value FROM json_each(:states)));
