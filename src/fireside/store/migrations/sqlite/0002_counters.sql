-- How many jobs there are, so that totals need no counting and a deep offset skips blocks instead of rows.

-- `workflow` is empty for all of a user's jobs. `idle` counts those that never ran, whose run time is 0.
CREATE TABLE job_total (
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    workflow TEXT NOT NULL,
    class INTEGER NOT NULL,
    n INTEGER NOT NULL,
    idle INTEGER NOT NULL,
    PRIMARY KEY (user_id, workflow, class)
) STRICT, WITHOUT ROWID;

-- A history that is large enough to be counted in blocks.
CREATE TABLE job_promoted (
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    workflow TEXT NOT NULL,
    PRIMARY KEY (user_id, workflow)
) STRICT, WITHOUT ROWID;

-- Axes: 1 and 2 are create order in fine and coarse blocks, 3 and 4 the run time of jobs that ran, 5 and 6 create order
-- of those that never ran. Class -1 holds the jobs that have not ended, on axes 1 and 2.
CREATE TABLE job_block (
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    workflow TEXT NOT NULL,
    axis INTEGER NOT NULL CHECK (axis BETWEEN 1 AND 6),
    class INTEGER NOT NULL,
    block INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (user_id, workflow, axis, class, block)
) STRICT, WITHOUT ROWID;

UPDATE job SET workflow_id = NULL WHERE workflow_id = '';
INSERT INTO job_total (user_id, workflow, class, n, idle)
SELECT user_id, '', class, count(*), sum(run_us = 0) FROM job GROUP BY user_id, class;
INSERT INTO job_total (user_id, workflow, class, n, idle)
SELECT user_id, workflow_id, class, count(*), sum(run_us = 0) FROM job
WHERE workflow_id IS NOT NULL GROUP BY user_id, workflow_id, class;

-- Jobs that have not ended have no run time; create order is what they are read in.
DROP INDEX job_active;
CREATE INDEX job_active ON job (user_id, class, pk, workflow_id) WHERE class IN (0, 1);
