-- Read the jobs of a user that workers hold, oldest first.
SELECT * FROM job WHERE user_id = :user_id AND worker_id IS NOT NULL ORDER BY pk;
