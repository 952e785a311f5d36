-- online: Jobs that never ran have indexes of their own.
-- Two others have them in order as well; where the planner expects few it finds both equally dear, and one of them makes
-- it look at all jobs that ran.
CREATE INDEX CONCURRENTLY IF NOT EXISTS job_idle ON job (user_id, class, pk)
    WHERE class NOT IN (0, 1) AND run_us = 0;
CREATE INDEX CONCURRENTLY IF NOT EXISTS job_idle_workflow ON job (user_id, workflow_id, class, pk)
    WHERE class NOT IN (0, 1) AND run_us = 0 AND workflow_id IS NOT NULL;
