-- What jobs make, by the exact name of their work, where it is the same whenever it runs; of those that have made it what
-- ran them, and of those that took it from another job which one that was.
CREATE TABLE job_work (
    job_pk bigint NOT NULL PRIMARY KEY REFERENCES job (pk) ON DELETE CASCADE,
    work bytea NOT NULL CHECK (length(work) = 32),
    snapshot_hash text COLLATE "C",
    models bytea,
    reused_id uuid,
    CHECK ((snapshot_hash IS NULL) = (models IS NULL))
);
CREATE INDEX job_work_made ON job_work (work, job_pk) WHERE snapshot_hash IS NOT NULL;

-- Whether a user's jobs may be answered from former ones; null for the server's setting.
ALTER TABLE "user" ADD COLUMN reuse boolean;
