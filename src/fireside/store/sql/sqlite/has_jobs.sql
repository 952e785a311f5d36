-- Say whether a user has a job.
SELECT 1 FROM job WHERE pk BETWEEN :user_id << 40 AND (:user_id << 40) + 1099511627775 LIMIT 1;
