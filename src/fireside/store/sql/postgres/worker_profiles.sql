-- Read what each worker that ever joined can run.
SELECT id, boot_id, runtime, definitions_hash, models_hash, validators_hash, subgraphs_hash, editor_hash,
    snapshot_hash, labels, devices,
    seen_at
FROM worker ORDER BY id;
