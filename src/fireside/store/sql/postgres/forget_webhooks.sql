-- Remove webhooks that submits have named, for which nothing waits and of which nothing is kept.
DELETE FROM webhook WHERE NOT is_standing AND due_at IS NULL AND created_at < :before
    AND NOT EXISTS (SELECT 1 FROM webhook_delivery WHERE webhook_pk = webhook.pk)
    AND NOT EXISTS (
        SELECT 1 FROM job_webhook JOIN job ON job.pk = job_webhook.job_pk
        WHERE webhook_pk = webhook.pk AND job.ended_at IS NULL
    );
