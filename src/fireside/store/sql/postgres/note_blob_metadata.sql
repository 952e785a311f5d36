-- Keep what some bytes say of themselves; equal bytes say the same.
INSERT INTO blob_metadata (hash, metadata) VALUES (:hash, :metadata) ON CONFLICT (hash) DO NOTHING;
