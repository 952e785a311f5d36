-- What jobs ask of a worker, once for all that ask the same, and what a worker ran when it held a job.

CREATE TABLE requirement (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Of those who ask for nothing it is all zeros.
ALTER TABLE job ADD COLUMN requirement_id BLOB NOT NULL DEFAULT x'00000000000000000000000000000000';
CREATE INDEX job_waiting ON job (user_id, requirement_id, number, pk) WHERE state = 'queued';

ALTER TABLE job_attempt ADD COLUMN snapshot_hash TEXT NOT NULL DEFAULT '';
