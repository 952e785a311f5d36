-- Read the number of the job right before a place of a user's queue, some job left out.
SELECT number FROM job WHERE user_id = :user_id AND state = 'queued' AND (number, pk) < (:number::double precision, :pk::bigint) AND id <> :id
ORDER BY number DESC, pk DESC LIMIT 1;
