-- Count the jobs of all users that have ended after some time, user by user.
SELECT count(*) AS ended FROM user_share JOIN job ON job.user_id = user_share.user_id WHERE ended_at > :since;
