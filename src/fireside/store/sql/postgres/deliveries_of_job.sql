-- List the messages about a job, the newest first.
SELECT webhook_delivery.*, webhook.url FROM webhook_delivery JOIN webhook ON webhook.pk = webhook_delivery.webhook_pk
WHERE webhook_delivery.job_id = :job_id AND webhook_delivery.user_id = :user_id AND webhook_delivery.pk < :before
    AND (:webhook_id::bigint IS NULL OR webhook_pk = :webhook_id::bigint)
    AND (:state::text IS NULL OR state = :state::text)
ORDER BY webhook_delivery.pk DESC LIMIT :limit;
