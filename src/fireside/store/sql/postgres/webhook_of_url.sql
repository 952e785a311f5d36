-- Read a user's webhook by its URL.
SELECT * FROM webhook WHERE user_id = :user_id AND url = :url;
