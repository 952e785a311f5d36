-- Sign with another secret from now on, and for a while with the one before, too.
UPDATE webhook_secret SET former_sealed = sealed, former_expires_at = :former_expires_at, sealed = :sealed
WHERE user_id = :user_id AND webhook_id = :webhook_id RETURNING *;
