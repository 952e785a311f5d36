-- Say which process of a worker may speak for it, unless that has changed since it was read.
UPDATE enrollment SET boot_id = :boot_id, protocol = :protocol, version = :version, booted_at = :now,
    is_transient = :is_transient
WHERE number = :number AND boot_id = :boot_read RETURNING *;
