-- Count the jobs of all users that have ended after some time, user by user.
SELECT count(*) AS ended FROM user_share CROSS JOIN job INDEXED BY job_ended_at
ON job.user_id = user_share.user_id WHERE ended_at > :since;
