-- Read the first message that waits for a webhook.
SELECT webhook_delivery.*, webhook.url FROM webhook_delivery JOIN webhook ON webhook.pk = webhook_delivery.webhook_pk
WHERE webhook_pk = :webhook_id AND state = 'pending' ORDER BY webhook_delivery.pk LIMIT 1;
