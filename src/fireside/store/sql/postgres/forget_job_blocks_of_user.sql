-- Forget the blocks of a user.
DELETE FROM job_block WHERE user_id = :user_id;
