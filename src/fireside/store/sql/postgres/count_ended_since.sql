-- Count the jobs of a user that have ended after some time.
SELECT count(*) AS ended FROM job WHERE user_id = :user_id AND ended_at > :since;
