-- Let those be tried at once that are to hear of this event of a job and have nothing else to wait for.
UPDATE webhook SET due_at = :now WHERE due_at IS NULL AND off_at IS NULL AND pk IN (
    SELECT pk FROM webhook WHERE user_id = :user_id AND is_standing AND events & :event <> 0
    UNION SELECT webhook_pk FROM job_webhook WHERE job_pk = (SELECT pk FROM job WHERE id = :job_id)
);
