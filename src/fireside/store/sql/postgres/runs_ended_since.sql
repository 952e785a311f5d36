-- Count a user's jobs that have run and ended after some time, and say when the first of them began to run.
SELECT count(*) AS ended, min(started_at) AS begun_at FROM job
WHERE user_id = :user_id AND ended_at > :since AND started_at IS NOT NULL;
