-- Read a user's keys.
SELECT * FROM api_key WHERE user_id = :user_id ORDER BY id;
