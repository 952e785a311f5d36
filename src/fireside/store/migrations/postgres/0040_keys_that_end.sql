-- When the last key ends that a worker was given for the bus; null: never, unless it has never booted.
ALTER TABLE enrollment ADD COLUMN key_ends_at bigint;
ALTER TABLE removed_worker ADD COLUMN key_ends_at bigint;
