-- Forget which of a user's histories are large.
DELETE FROM job_promoted WHERE user_id = :user_id;
