-- Webhooks whose receiver has said that it is gone are switched off, and stay to be seen.
ALTER TABLE webhook ADD COLUMN off_at INTEGER;
