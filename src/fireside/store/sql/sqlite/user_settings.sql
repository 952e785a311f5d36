-- Read all settings of a user, by name.
SELECT name, value FROM user_setting WHERE user_id = :user_id ORDER BY name;
