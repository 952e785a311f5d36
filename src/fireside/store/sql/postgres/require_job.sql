-- Ask whether a job is still as it was read, and whether its user has any webhook.
SELECT pk, EXISTS (SELECT 1 FROM webhook WHERE webhook.user_id = job.user_id) AS is_heard
FROM job WHERE id = :id AND state = :state AND fence = :fence;
