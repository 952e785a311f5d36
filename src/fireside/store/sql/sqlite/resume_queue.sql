-- Let a queue go on, as far as this one stopped it.
DELETE FROM pause WHERE user_id = :user_id AND origin = :origin RETURNING *;
