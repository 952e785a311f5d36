-- Read a user's totals as they are kept.
SELECT workflow, class, n, idle FROM job_total WHERE user_id = :user_id AND n <> 0;
