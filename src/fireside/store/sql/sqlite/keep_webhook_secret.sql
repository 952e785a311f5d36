-- Keep a first secret for a webhook, or for those (0) that submits name, unless there is one.
INSERT INTO webhook_secret (user_id, webhook_id, sealed) VALUES (:user_id, :webhook_id, :sealed)
ON CONFLICT (user_id, webhook_id) DO NOTHING;
