-- Read how many jobs of each class a history has, and how many of them never ran.
SELECT class, n, idle FROM job_total WHERE user_id = :user_id AND workflow = :workflow AND n > 0;
