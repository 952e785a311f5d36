-- Say when the one of a user's running jobs began that runs for the longest.
SELECT min(started_at) AS begun_at FROM job WHERE user_id = :user_id AND worker_id IS NOT NULL;
