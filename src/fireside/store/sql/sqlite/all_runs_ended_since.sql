-- Count all users' jobs that have run and ended after some time, user by user, and say when the first began to run.
SELECT count(*) AS ended, min(started_at) AS begun_at FROM user_share CROSS JOIN job INDEXED BY job_ended_at
ON job.user_id = user_share.user_id WHERE ended_at > :since AND started_at IS NOT NULL;
