-- Read a message of the user.
SELECT webhook_delivery.*, webhook.url FROM webhook_delivery JOIN webhook ON webhook.pk = webhook_delivery.webhook_pk
WHERE webhook_delivery.pk = :id AND webhook_delivery.user_id = :user_id;
