-- Forget the idempotency keys of a user.
DELETE FROM idempotency_key WHERE user_id = :user_id;
