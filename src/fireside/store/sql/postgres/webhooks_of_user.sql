-- List a user's standing webhooks.
SELECT * FROM webhook WHERE user_id = :user_id AND is_standing ORDER BY pk;
