-- Forget a block that is empty.
DELETE FROM job_block
WHERE user_id = :user_id AND workflow = :workflow AND axis = :axis AND class = :class AND block = :block AND n = 0;
