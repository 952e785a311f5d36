-- Remove webhooks that submits have named, for which nothing waits and of which nothing is kept.
DELETE FROM webhook WHERE NOT is_standing AND due_at IS NULL AND created_at < :before
    AND NOT EXISTS (SELECT 1 FROM webhook_delivery WHERE webhook_pk = webhook.pk OFFSET 0)
    AND NOT EXISTS (
        SELECT 1 FROM job_webhook CROSS JOIN LATERAL (SELECT ended_at FROM job WHERE pk = job_pk OFFSET 0) AS job
        WHERE webhook_pk = webhook.pk AND ended_at IS NULL OFFSET 0
    );
