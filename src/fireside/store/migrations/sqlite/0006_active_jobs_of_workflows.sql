-- Jobs of a workflow that have not ended are found without looking at all others that have not, which may be very many.
DROP INDEX job_active;
CREATE INDEX job_active ON job (user_id, class) WHERE class IN (0, 1);
CREATE INDEX job_active_workflow ON job (user_id, workflow_id, class)
    WHERE class IN (0, 1) AND workflow_id IS NOT NULL;
