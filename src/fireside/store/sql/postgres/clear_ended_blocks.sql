-- Forget the blocks of all ended jobs of a user.
DELETE FROM job_block WHERE user_id = :user_id AND class <> -1;
