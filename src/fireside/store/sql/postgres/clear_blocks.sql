-- Forget all blocks of a history.
DELETE FROM job_block WHERE user_id = :user_id AND workflow = :workflow;
