-- Count jobs of a class into the totals of a history, or with a negative number out of them.
INSERT INTO job_total (user_id, workflow, class, n, idle) VALUES (:user_id, :workflow, :class, :by, :idle_by)
ON CONFLICT (user_id, workflow, class) DO UPDATE SET
    n = job_total.n + excluded.n, idle = job_total.idle + excluded.idle;
