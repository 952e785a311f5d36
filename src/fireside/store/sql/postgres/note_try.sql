-- Note what came of trying a message.
UPDATE webhook_delivery SET
    state = :state, attempts = attempts + 1, tried_at = :now, over_at = :over_at,
    status = :status, answer = :answer, error = :error
WHERE pk = :id AND state = 'pending';
