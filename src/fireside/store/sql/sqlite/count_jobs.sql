-- Count all of a user's jobs.
SELECT
    (SELECT count(*) FROM job INDEXED BY job_ended WHERE user_id = :user_id AND class NOT IN (0, 1))
    + (SELECT queued + held FROM user_share WHERE user_id = :user_id) AS total;
