-- Remember a worker as it has joined now.
INSERT INTO worker (id, boot_id, runtime, version, definitions_hash, joined_at, system, devices, labels)
VALUES (:id, :boot_id, :runtime, :version, :definitions_hash, :joined_at, :system, :devices, :labels)
ON CONFLICT (id) DO UPDATE SET
    boot_id = excluded.boot_id, runtime = excluded.runtime, version = excluded.version,
    definitions_hash = excluded.definitions_hash, joined_at = excluded.joined_at,
    system = excluded.system, devices = excluded.devices, labels = excluded.labels;
