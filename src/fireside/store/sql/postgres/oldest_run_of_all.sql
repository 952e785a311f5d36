-- Say when the one of all running jobs began that runs for the longest.
SELECT min(started_at) AS begun_at FROM job WHERE worker_id IS NOT NULL;
