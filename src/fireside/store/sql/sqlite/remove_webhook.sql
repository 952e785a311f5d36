-- Forget a webhook of the user, with all its messages.
DELETE FROM webhook WHERE pk = :id AND user_id = :user_id RETURNING pk;
