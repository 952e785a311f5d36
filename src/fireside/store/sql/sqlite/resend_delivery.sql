-- Send a message again: the same one, behind those that wait.
INSERT INTO webhook_delivery (webhook_pk, user_id, job_id, message_id, event, data, created_at, state)
SELECT webhook_pk, user_id, job_id, message_id, event, data, :now, 'pending' FROM webhook_delivery
WHERE pk = :id AND user_id = :user_id RETURNING pk, webhook_pk;
