-- Read the blocks of a history as they are kept. While no run times are counted, those are of a former cut.
SELECT axis, class, block, n FROM job_block
WHERE user_id = :user_id AND workflow = :workflow AND n <> 0 AND (
    axis NOT IN (3, 4)
    OR (SELECT runs_below FROM job_promoted WHERE user_id = :user_id AND workflow = :workflow) > 0
);
