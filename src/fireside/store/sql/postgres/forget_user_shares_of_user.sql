-- Forget the share of a user.
DELETE FROM user_share WHERE user_id = :user_id;
