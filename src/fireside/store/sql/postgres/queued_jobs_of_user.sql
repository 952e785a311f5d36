-- Read a user's queue in its order.
SELECT * FROM job WHERE user_id = :user_id AND state = 'queued' ORDER BY number, pk;
