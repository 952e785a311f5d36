-- Let a webhook be tried at once, if it has nothing to wait for.
UPDATE webhook SET due_at = :now WHERE pk = :webhook_id AND due_at IS NULL;
