-- Read the shares of the users who have jobs that wait or run.
SELECT user_id, weight, max_running, virtual_time, queued, held
FROM user_share JOIN "user" ON "user".id = user_id WHERE queued > 0 OR held > 0 ORDER BY user_id;
