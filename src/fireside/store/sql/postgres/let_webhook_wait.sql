-- Say when a webhook may be tried again, if anything waits for it.
UPDATE webhook SET failures = :failures, due_at = CASE WHEN EXISTS (
    SELECT 1 FROM webhook_delivery WHERE webhook_pk = :webhook_id AND state = 'pending'
) THEN :next_at::bigint END WHERE pk = :webhook_id;
