-- Queue a job behind the user's latest. Its create time is later than that one's, whatever the clock says.
INSERT INTO job (
    pk, id, user_id, class, state, number, created_at, changed_at, workflow_id, fingerprint, requirement_id, metadata,
    key_id
)
SELECT
    (user_id << 40) | (sequence + 1), :id, user_id, 0, 'queued', coalesce(:number, :sign * next_number),
    max(:now, last_created_at + 1), max(:now, last_created_at + 1), :workflow_id, :fingerprint,
    :requirement_id, :metadata, :key_id
FROM user_share WHERE user_id = :user_id
RETURNING *, EXISTS (SELECT 1 FROM webhook WHERE webhook.user_id = job.user_id) AS is_heard,
    (SELECT seconds FROM run_estimate WHERE run_estimate.fingerprint = :fingerprint) AS estimate_seconds;
