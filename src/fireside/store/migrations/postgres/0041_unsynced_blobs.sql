-- The bytes of small blobs whose files are not known to be on the disk yet, by their hash; the file goes by its name.
CREATE TABLE unsynced_blob (
    hash text COLLATE "C" PRIMARY KEY,
    kept_at bigint NOT NULL,
    content bytea NOT NULL
);
CREATE INDEX unsynced_blob_kept ON unsynced_blob (kept_at);
