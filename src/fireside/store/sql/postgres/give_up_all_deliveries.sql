-- Give up all that waits for a webhook.
UPDATE webhook_delivery SET state = 'failed', over_at = :now, error = :error
WHERE webhook_pk = :webhook_id AND state = 'pending';
