-- What a worker is labelled with, and how long a user's jobs may run.
ALTER TABLE worker ADD COLUMN labels bytea NOT NULL DEFAULT '{}';
ALTER TABLE "user" ADD COLUMN max_run_seconds double precision CHECK (max_run_seconds > 0);
