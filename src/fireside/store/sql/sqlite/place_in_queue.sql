-- Read where a job stands in its user's queue.
SELECT pk, number FROM job WHERE id = :id AND user_id = :user_id AND state = 'queued';
