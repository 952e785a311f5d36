-- Begin to count a history in blocks, or say that all of it is counted: no run time is too long.
INSERT INTO job_promoted (user_id, workflow, runs_below) VALUES (:user_id, :workflow, :runs_below)
ON CONFLICT (user_id, workflow) DO UPDATE SET runs_below = excluded.runs_below;
