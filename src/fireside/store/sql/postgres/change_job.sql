-- Write a job's next state, decided by advance(), unless somebody else changed the job since it was read.
UPDATE job SET
    state = :state, class = :class, run_us = :run_us, attempt = :attempt, losses = :losses, fence = :fence,
    worker_id = :worker_id, changed_at = :changed_at, started_at = :started_at, ended_at = :ended_at,
    outputs_count = :outputs_count, previewable_count = :previewable_count, preview = :preview, error = :error,
    charged_seconds = :charged_seconds
WHERE id = :id AND state = :state_read AND fence = :fence_read
RETURNING *, EXISTS (SELECT 1 FROM webhook WHERE webhook.user_id = job.user_id) AS is_heard,
    EXISTS (SELECT 1 FROM equal_job WHERE equal_job.job_pk = job.pk) AS has_equals;
