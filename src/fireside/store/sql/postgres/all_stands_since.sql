-- Say since when the oldest of all held jobs is with its worker.
SELECT min(coalesce(started_at, changed_at)) AS since_at FROM job WHERE worker_id IS NOT NULL;
