-- Let a model be fetched no more.
DELETE FROM model WHERE folder = :folder AND name = :name RETURNING *;
