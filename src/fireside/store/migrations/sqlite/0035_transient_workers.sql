-- Whether a worker that has joined does not come back once it has gone.
ALTER TABLE enrollment ADD COLUMN is_transient INTEGER NOT NULL DEFAULT 0 CHECK (is_transient IN (0, 1));
