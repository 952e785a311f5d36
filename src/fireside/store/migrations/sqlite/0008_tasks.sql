-- Work that the server does for users in the background. `due_at` is when somebody may take it, NULL once it has ended.
CREATE TABLE task (
    pk INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    payload BLOB NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('created', 'running', 'completed', 'failed', 'canceled')),
    attempt INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    due_at INTEGER,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    bytes_total INTEGER CHECK (bytes_total >= 0),
    bytes_done INTEGER NOT NULL DEFAULT 0 CHECK (bytes_done >= 0),
    result BLOB,
    error TEXT,
    CHECK ((status IN ('completed', 'failed', 'canceled')) = (ended_at IS NOT NULL)),
    CHECK ((due_at IS NULL) = (ended_at IS NOT NULL))
) STRICT;
CREATE INDEX task_of_user ON task (user_id);
CREATE INDEX task_due ON task (user_id, due_at) WHERE due_at IS NOT NULL;
CREATE UNIQUE INDEX task_active_key ON task (user_id, key) WHERE due_at IS NOT NULL;
CREATE INDEX task_ended ON task (ended_at) WHERE ended_at IS NOT NULL;
