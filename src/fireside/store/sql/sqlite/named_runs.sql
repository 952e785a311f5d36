-- Read what some jobs run that were submitted by the name of a saved workflow.
SELECT job.id AS job_id, workflow, inputs, outputs FROM job JOIN named_run ON job_pk = pk
WHERE id IN (SELECT unhex(value) FROM json_each(:ids));
