-- Read what the counters know of those of some jobs that are the user's and have ended.
-- The plus keeps the planner from reading the whole history in the order of its ends.
SELECT id, class, run_us, workflow_id FROM job
WHERE id IN (SELECT unhex(value) FROM json_each(:ids)) AND +user_id = :user_id AND +ended_at IS NOT NULL;
