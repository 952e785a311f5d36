-- Forget the settings of a user.
DELETE FROM user_setting WHERE user_id = :user_id;
