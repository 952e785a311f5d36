-- Jobs of equal work of one user that have not ended. One of them goes; the others wait for it, ask for no worker until
-- their turn comes, and have kept here what they ask for then. The row of the first one stays, `is_over`, after it has
-- ended, until those that wait for it have been seen to. It has no reference to its job, which may be deleted before that.
CREATE TABLE equal_job (
    job_pk bigint NOT NULL PRIMARY KEY,
    user_id integer NOT NULL,
    work bytea NOT NULL CHECK (length(work) = 32),
    requirement_id uuid,
    is_over boolean NOT NULL DEFAULT false,
    CHECK (requirement_id IS NULL OR NOT is_over)
);
CREATE UNIQUE INDEX equal_job_first ON equal_job (work, user_id) WHERE requirement_id IS NULL;
CREATE INDEX equal_job_of_work ON equal_job (work, user_id, job_pk);
CREATE INDEX equal_job_over ON equal_job (job_pk) WHERE is_over;
