-- Forget the webhooks, with all their messages, of a user.
DELETE FROM webhook WHERE user_id = :user_id;
