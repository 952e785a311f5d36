-- Ask whether a history is counted in blocks.
SELECT 1 AS found FROM job_promoted WHERE user_id = :user_id AND workflow = :workflow;
