-- Forget the blocks of run times of a history.
DELETE FROM job_block WHERE user_id = :user_id AND workflow = :workflow AND axis IN (3, 4);
