-- Forget the totals of all ended jobs of a user.
DELETE FROM job_total WHERE user_id = :user_id AND class NOT IN (0, 1);
