-- Whether a worker that has joined does not come back once it has gone.
ALTER TABLE enrollment ADD COLUMN is_transient boolean NOT NULL DEFAULT false;
