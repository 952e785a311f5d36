-- Models that workers may fetch. Without a source the bytes are a blob of this server's.
CREATE TABLE model (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    folder TEXT NOT NULL CHECK (folder <> ''),
    name TEXT NOT NULL CHECK (name <> ''),
    hash TEXT NOT NULL CHECK (length(hash) = 64),
    size_bytes INTEGER NOT NULL CHECK (size_bytes > 0),
    source_url TEXT,
    created_at INTEGER NOT NULL,
    UNIQUE (folder, name)
) STRICT;
CREATE INDEX model_hash ON model (hash);
