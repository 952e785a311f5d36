-- Workers that join from other machines: the tokens they join with, who has joined, who was removed, who is drained.
-- `digest` is the SHA-256 of a credential that only its holder has.
CREATE TABLE join_token (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    prefix TEXT NOT NULL,
    label TEXT NOT NULL,
    is_reusable INTEGER NOT NULL CHECK (is_reusable IN (0, 1)),
    uses INTEGER NOT NULL DEFAULT 0 CHECK (uses >= 0),
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    used_at INTEGER,
    revoked_at INTEGER
) STRICT;

-- `number` is never given again, so that whoever joins under the name of a removed worker has another key on the bus.
-- `boot_id` names the one process that may speak for the worker.
CREATE TABLE enrollment (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    worker_id TEXT NOT NULL UNIQUE,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    join_token_id INTEGER NOT NULL REFERENCES join_token (id),
    protocol INTEGER NOT NULL,
    version TEXT NOT NULL,
    boot_id TEXT NOT NULL DEFAULT '',
    enrolled_at INTEGER NOT NULL,
    booted_at INTEGER
) STRICT;
CREATE INDEX enrollment_of_join_token ON enrollment (join_token_id);

CREATE TABLE removed_worker (
    number INTEGER PRIMARY KEY,
    worker_id TEXT NOT NULL,
    removed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE drained_worker (
    worker_id TEXT PRIMARY KEY,
    drained_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
