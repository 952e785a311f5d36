-- Remember a worker as it has joined now.
INSERT INTO worker (
    id, boot_id, runtime, version, definitions_hash, models_hash, validators_hash, snapshot_hash, subgraphs_hash,
    editor_hash, labels, joined_at, seen_at, system, devices
)
VALUES (
    :id, :boot_id, :runtime, :version, :definitions_hash, :models_hash, :validators_hash, :snapshot_hash,
    :subgraphs_hash, :editor_hash, :labels, :joined_at, :joined_at, :system, :devices
)
ON CONFLICT (id) DO UPDATE SET
    boot_id = excluded.boot_id, runtime = excluded.runtime, version = excluded.version,
    definitions_hash = excluded.definitions_hash, models_hash = excluded.models_hash,
    validators_hash = excluded.validators_hash, snapshot_hash = excluded.snapshot_hash,
    subgraphs_hash = excluded.subgraphs_hash, editor_hash = excluded.editor_hash, labels = excluded.labels,
    joined_at = excluded.joined_at, seen_at = excluded.seen_at, system = excluded.system, devices = excluded.devices;
