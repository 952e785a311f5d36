-- Give up what has waited for a webhook too long.
UPDATE webhook_delivery SET state = 'failed', over_at = :now, error = :error
WHERE webhook_pk = :webhook_id AND state = 'pending' AND created_at <= :before;
