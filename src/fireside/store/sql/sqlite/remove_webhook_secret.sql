-- Forget what a webhook was signed with.
DELETE FROM webhook_secret WHERE user_id = :user_id AND webhook_id = :webhook_id;
