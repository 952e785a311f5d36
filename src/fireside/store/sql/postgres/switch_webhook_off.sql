-- Write nothing more down for a webhook; a message that is sent again on purpose still goes out.
UPDATE webhook SET off_at = coalesce(off_at, :now), due_at = NULL, failures = 0 WHERE pk = :webhook_id;
