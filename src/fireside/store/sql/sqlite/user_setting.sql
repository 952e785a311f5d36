-- Read a setting of a user.
SELECT value FROM user_setting WHERE user_id = :user_id AND name = :name;
