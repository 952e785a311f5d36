-- Read the workers that do not come back of which nothing was seen since a moment.
SELECT enrollment.* FROM enrollment LEFT JOIN worker ON worker.id = enrollment.worker_id
WHERE enrollment.is_transient = 1 AND coalesce(enrollment.booted_at, enrollment.enrolled_at) < :before
    AND coalesce(worker.seen_at, 0) < :before
ORDER BY enrollment.number;
