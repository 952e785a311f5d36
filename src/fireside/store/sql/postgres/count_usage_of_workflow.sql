-- Write what an ended job has used into its month, by its workflow.
INSERT INTO usage_workflow (user_id, month, workflow, jobs, gpu_us, made_bytes)
SELECT user_id, :month::integer, workflow_id, 1, round(charged_seconds * 1000000)::bigint,
    (SELECT coalesce(sum(size_bytes), 0)::bigint FROM asset WHERE asset.job_id = job.id)
FROM job WHERE id = :id
ON CONFLICT (user_id, month, workflow) DO UPDATE SET
    jobs = usage_workflow.jobs + 1, gpu_us = usage_workflow.gpu_us + excluded.gpu_us,
    made_bytes = usage_workflow.made_bytes + excluded.made_bytes;
