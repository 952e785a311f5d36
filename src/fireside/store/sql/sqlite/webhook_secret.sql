-- Read what a webhook is signed with: its own secret, or that (0) of all that submits name.
SELECT * FROM webhook_secret WHERE user_id = :user_id AND webhook_id IN (0, :webhook_id)
ORDER BY webhook_id DESC LIMIT 1;
