-- Put a job that waits at another place of its user's queue.
UPDATE job SET number = :number WHERE id = :id AND user_id = :user_id AND state = 'queued' RETURNING *;
