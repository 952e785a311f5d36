-- What a worker is labelled with, and how long a user's jobs may run.
ALTER TABLE worker ADD COLUMN labels BLOB NOT NULL DEFAULT x'7B7D';
ALTER TABLE user ADD COLUMN max_run_seconds REAL CHECK (max_run_seconds > 0);
