-- Let a URL hear of all jobs of a user; one that a submit has named becomes a standing webhook, one that is off is on.
INSERT INTO webhook (user_id, url, events, is_standing, created_at) VALUES (:user_id, :url, :events, TRUE, :now)
ON CONFLICT (user_id, url) DO UPDATE SET events = excluded.events, is_standing = TRUE, off_at = NULL RETURNING *;
