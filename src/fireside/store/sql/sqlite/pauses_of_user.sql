-- Read what pauses a user's queue: everybody's pause first.
SELECT * FROM pause WHERE user_id IN (0, :user_id) ORDER BY user_id, origin;
