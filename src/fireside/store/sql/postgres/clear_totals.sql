-- Forget all totals of a user.
DELETE FROM job_total WHERE user_id = :user_id;
