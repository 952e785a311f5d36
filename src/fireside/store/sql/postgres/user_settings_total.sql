-- Count the settings of a user, and their bytes.
SELECT count(*) AS settings, coalesce(sum(octet_length(name) + octet_length(value)), 0) AS bytes
FROM user_setting WHERE user_id = :user_id;
