-- Forget what was done long ago.
DELETE FROM audit_entry WHERE at < :before_at RETURNING id;
