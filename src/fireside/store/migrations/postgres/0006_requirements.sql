-- What jobs ask of a worker, once for all that ask the same, and what a worker ran when it held a job.

CREATE TABLE requirement (
    id uuid PRIMARY KEY,
    body bytea NOT NULL
);

-- Of those who ask for nothing it is all zeros.
ALTER TABLE job ADD COLUMN requirement_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
CREATE INDEX job_waiting ON job (user_id, requirement_id, number, pk) WHERE state = 'queued';

ALTER TABLE job_attempt ADD COLUMN snapshot_hash text COLLATE "C" NOT NULL DEFAULT '';
