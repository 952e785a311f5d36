-- Say which process of a worker may speak for it, unless that has changed since it was read.
-- Who was ever given a key without an end has one for ever, as by a former server, which says nothing of keys.
UPDATE enrollment SET boot_id = :boot_id, protocol = :protocol, version = :version, booted_at = :now,
    is_transient = :is_transient,
    key_booted_at = :now,
    key_ends_at = CASE
        WHEN CAST(:key_ends_at AS bigint) IS NOT NULL AND (booted_at IS NULL OR (key_ends_at IS NOT NULL AND key_booted_at = booted_at))
        THEN greatest(CAST(:key_ends_at AS bigint), coalesce(key_ends_at, 0)) END
WHERE number = :number AND boot_id = :boot_read RETURNING *;
