-- Say since when the oldest of a user's held jobs is with its worker, or else when the first in the queue was submitted.
SELECT coalesce(
    (SELECT min(coalesce(started_at, changed_at)) FROM job WHERE user_id = :user_id AND worker_id IS NOT NULL),
    (SELECT created_at FROM job WHERE user_id = :user_id AND state = 'queued' ORDER BY number, pk LIMIT 1)
) AS since_at;
