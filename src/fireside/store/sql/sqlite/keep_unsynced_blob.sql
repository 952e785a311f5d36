-- Keep the bytes of a blob until its file is on the disk; those that are kept already are kept longer.
INSERT INTO unsynced_blob (hash, kept_at, content) VALUES (:hash, :kept_at, :content)
ON CONFLICT (hash) DO UPDATE SET kept_at = excluded.kept_at;
