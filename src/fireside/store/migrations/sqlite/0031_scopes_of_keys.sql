-- What an API key opens, and until when; keys from before, and those of servers of before, open all for good.
ALTER TABLE api_key ADD COLUMN scopes TEXT NOT NULL DEFAULT 'admin read submit';
ALTER TABLE api_key ADD COLUMN expires_at INTEGER;
