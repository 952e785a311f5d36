-- Read the blocks of a history as they are kept.
SELECT axis, class, block, n FROM job_block WHERE user_id = :user_id AND workflow = :workflow AND n <> 0;
