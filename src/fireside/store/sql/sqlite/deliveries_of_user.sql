-- List a user's messages, the newest first.
SELECT webhook_delivery.*, webhook.url FROM webhook_delivery JOIN webhook ON webhook.pk = webhook_delivery.webhook_pk
WHERE webhook_delivery.user_id = :user_id AND webhook_delivery.pk < :before
    AND (:webhook_id IS NULL OR webhook_pk = :webhook_id) AND (:state IS NULL OR state = :state)
ORDER BY webhook_delivery.pk DESC LIMIT :limit;
