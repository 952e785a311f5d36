-- Use up an idempotency key, unless somebody has it already; one that has expired is as good as new.
INSERT INTO idempotency_key (user_id, route, key, claimed_at) VALUES (:user_id, :route, :key, :now)
ON CONFLICT (user_id, route, key) DO UPDATE SET claimed_at = excluded.claimed_at
WHERE idempotency_key.claimed_at <= :expired_at RETURNING user_id;
