-- Give an idempotency key back, because what it was claimed for has not happened.
DELETE FROM idempotency_key WHERE user_id = :user_id AND route = :route AND key = :key;
