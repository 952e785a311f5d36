-- Make a webhook of a URL that a submit names, unless the user has one; one that is off is switched on.
INSERT INTO webhook (user_id, url, events, is_standing, created_at) VALUES (:user_id, :url, :events, FALSE, :now)
ON CONFLICT (user_id, url) DO UPDATE SET off_at = NULL WHERE webhook.off_at IS NOT NULL;
