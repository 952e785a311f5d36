-- Forget idempotency keys that have expired.
DELETE FROM idempotency_key WHERE claimed_at <= :expired_at RETURNING user_id;
