-- Read the jobs that workers hold.
SELECT * FROM job WHERE worker_id IS NOT NULL ORDER BY user_id, pk;
