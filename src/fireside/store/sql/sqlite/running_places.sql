-- Read the places in create order of a user's jobs that run, of one workflow if one is given.
-- Who runs is held by a worker, and those are few; the index of all that have not ended would be read through.
SELECT pk & 1099511627775 AS place FROM job INDEXED BY job_held
WHERE user_id = :user_id AND worker_id IS NOT NULL AND class = 1 AND (:workflow = '' OR workflow_id = :workflow);
