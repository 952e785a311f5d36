-- Forget the keys of a user.
DELETE FROM api_key WHERE user_id = :user_id;
