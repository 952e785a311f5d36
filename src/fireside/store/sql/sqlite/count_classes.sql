-- Count a user's jobs of some classes.
SELECT
    (SELECT count(*) FROM job INDEXED BY job_ended WHERE user_id = :user_id AND class NOT IN (0, 1) AND class IN (SELECT value FROM json_each(:classes)))
    + (SELECT count(*) FROM job INDEXED BY job_active WHERE user_id = :user_id AND class IN (0, 1) AND class IN (SELECT value FROM json_each(:classes))) AS total;
