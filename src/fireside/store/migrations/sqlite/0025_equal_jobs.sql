-- Jobs of equal work of one user that have not ended. One of them goes; the others wait for it, ask for no worker until
-- their turn comes, and have kept here what they ask for then. The row of the first one stays, `is_over`, after it has
-- ended, until those that wait for it have been seen to. It has no reference to its job, which may be deleted before that.
CREATE TABLE equal_job (
    job_pk INTEGER NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL,
    work BLOB NOT NULL CHECK (length(work) = 32),
    requirement_id BLOB,
    is_over INTEGER NOT NULL DEFAULT 0 CHECK (is_over IN (0, 1)),
    CHECK (requirement_id IS NULL OR is_over = 0)
) STRICT;
CREATE UNIQUE INDEX equal_job_first ON equal_job (work, user_id) WHERE requirement_id IS NULL;
CREATE INDEX equal_job_of_work ON equal_job (work, user_id, job_pk);
CREATE INDEX equal_job_over ON equal_job (job_pk) WHERE is_over = 1;
