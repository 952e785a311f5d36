-- Forget the secrets of webhooks of a user.
DELETE FROM webhook_secret WHERE user_id = :user_id;
