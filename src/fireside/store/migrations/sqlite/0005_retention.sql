-- How many ended jobs of a user are kept, and for how long: NULL is the server's setting, 0 keeps them all.
ALTER TABLE user ADD COLUMN keep_jobs INTEGER CHECK (keep_jobs >= 0);
ALTER TABLE user ADD COLUMN keep_days INTEGER CHECK (keep_days >= 0);

-- The order in which ended jobs go.
CREATE INDEX job_ended_at ON job (user_id, ended_at) WHERE ended_at IS NOT NULL;
