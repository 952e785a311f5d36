-- Read which workers take no more jobs.
SELECT worker_id FROM drained_worker ORDER BY worker_id;
