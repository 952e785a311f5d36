-- Say that run times below this are counted in the blocks of a history.
UPDATE job_promoted SET runs_below = max(runs_below, :below)
WHERE user_id = :user_id AND workflow = :workflow;
