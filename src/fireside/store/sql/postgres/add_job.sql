-- Queue a job behind the user's latest. Its create time is later than that one's, whatever the clock says. The share
-- is locked, so that nobody else can queue behind the same one.
INSERT INTO job (
    pk, id, user_id, class, state, number, created_at, changed_at, workflow_id, fingerprint, requirement_id, metadata,
    key_id
)
SELECT
    (user_id::bigint << 40) | (sequence + 1), :id, user_id, 0, 'queued',
    coalesce(:number::double precision, :sign::integer * next_number),
    greatest(:now::bigint, last_created_at + 1), greatest(:now::bigint, last_created_at + 1), :workflow_id, :fingerprint,
    :requirement_id, :metadata, :key_id::bigint
FROM user_share WHERE user_id = :user_id FOR UPDATE
RETURNING *, EXISTS (SELECT 1 FROM webhook WHERE webhook.user_id = job.user_id) AS is_heard,
    (SELECT seconds FROM run_estimate WHERE run_estimate.fingerprint = :fingerprint) AS estimate_seconds;
