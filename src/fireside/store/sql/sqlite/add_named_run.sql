-- Keep what a job runs that was submitted by the name of a saved workflow.
INSERT INTO named_run (job_pk, workflow, inputs, outputs)
SELECT pk, :workflow, :inputs, :outputs FROM job WHERE id = :id;
