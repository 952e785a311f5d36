-- Write an event of a job down for each webhook that is to hear of it.
INSERT INTO webhook_delivery (webhook_pk, user_id, job_id, message_id, event, data, created_at, state)
SELECT pk, user_id, :job_id, :message_id, :event, :data, :now, 'pending'
FROM webhook WHERE off_at IS NULL AND pk IN (
    SELECT pk FROM webhook WHERE user_id = :user_id AND is_standing AND events & :event <> 0
    UNION SELECT webhook_pk FROM job_webhook WHERE job_pk = (SELECT pk FROM job WHERE id = :job_id)
);
