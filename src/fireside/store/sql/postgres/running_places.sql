-- Read the places in create order of a user's jobs that run, of one workflow if one is given.
SELECT pk & 1099511627775 AS place FROM job
WHERE user_id = :user_id AND class IN (0, 1) AND class = 1 AND (:workflow::text = '' OR workflow_id = :workflow::text);
