-- Say whose tasks may be taken.
SELECT DISTINCT user_id FROM task WHERE due_at IS NOT NULL AND due_at <= :now;
