-- Everything Fireside remembers, first form. Times are microseconds since 1970 UTC; ids of jobs and assets are 16 bytes.

CREATE TABLE user (
    id INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id BETWEEN 1 AND 4194303), -- shifted by 40 bits it must stay a 63-bit pk
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL CHECK (role IN ('admin', 'member')),
    weight REAL NOT NULL CHECK (weight > 0),
    max_running INTEGER CHECK (max_running >= 0),
    max_queued INTEGER CHECK (max_queued >= 0),
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE user_share (
    user_id INTEGER PRIMARY KEY REFERENCES user (id) ON DELETE CASCADE,
    sequence INTEGER NOT NULL DEFAULT 0 CHECK (sequence BETWEEN 0 AND 1099511627775),
    last_created_at INTEGER NOT NULL DEFAULT 0,
    next_number INTEGER NOT NULL DEFAULT 1,
    queued INTEGER NOT NULL DEFAULT 0 CHECK (queued >= 0),
    held INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0),
    virtual_time REAL NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX user_share_busy ON user_share (user_id) WHERE queued > 0 OR held > 0;

CREATE TABLE api_key (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    prefix TEXT NOT NULL,
    label TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER,
    revoked_at INTEGER
) STRICT;
CREATE INDEX api_key_of_user ON api_key (user_id);

CREATE TABLE session (
    digest BLOB NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_of_user ON session (user_id);
CREATE INDEX session_expiry ON session (expires_at);

CREATE TABLE login_link (
    digest BLOB NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX login_link_of_user ON login_link (user_id);

-- `pk` is (user_id << 40) | the user's sequence: create order within a user, a user's jobs side by side on disk.
-- `class` is status x kinds of media in one small number: 0 pending, 1 in progress, 3 failed, 4 cancelled,
-- 16 | media for succeeded (1 image, 2 video, 4 audio, 8 model), so that one index range answers each listing filter.
CREATE TABLE job (
    pk INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    user_id INTEGER NOT NULL REFERENCES user (id),
    class INTEGER NOT NULL,
    run_us INTEGER NOT NULL DEFAULT 0 CHECK (run_us >= 0),
    state TEXT NOT NULL,
    number REAL NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    losses INTEGER NOT NULL DEFAULT 0 CHECK (losses BETWEEN 0 AND attempt),
    fence INTEGER NOT NULL DEFAULT 0 CHECK (fence >= attempt),
    worker_id TEXT,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL CHECK (changed_at >= created_at),
    started_at INTEGER,
    ended_at INTEGER,
    workflow_id TEXT,
    outputs_count INTEGER NOT NULL DEFAULT 0 CHECK (outputs_count >= 0),
    previewable_count INTEGER NOT NULL DEFAULT 0 CHECK (previewable_count BETWEEN 0 AND outputs_count),
    charged_seconds REAL NOT NULL DEFAULT 0,
    fingerprint TEXT NOT NULL DEFAULT '',
    preview BLOB,
    error BLOB,
    CHECK (pk >> 40 = user_id),
    CHECK (CASE state
        WHEN 'queued' THEN class = 0 WHEN 'assigned' THEN class = 0
        WHEN 'running' THEN class = 1 WHEN 'canceling' THEN class = 1
        WHEN 'failed' THEN class = 3 WHEN 'expired' THEN class = 3
        WHEN 'canceled' THEN class = 4 WHEN 'succeeded' THEN class BETWEEN 16 AND 31
        ELSE 0 END),
    CHECK ((state IN ('succeeded', 'failed', 'canceled', 'expired')) = (ended_at IS NOT NULL)),
    CHECK ((state IN ('assigned', 'running', 'canceling')) = (worker_id IS NOT NULL)),
    CHECK (state NOT IN ('running', 'canceling') OR started_at IS NOT NULL),
    CHECK (state NOT IN ('queued', 'assigned') OR started_at IS NULL),
    CHECK (state NOT IN ('assigned', 'running', 'canceling') OR attempt > 0),
    CHECK (ended_at IS NULL OR started_at IS NULL OR run_us = ended_at - started_at)
) STRICT;
CREATE INDEX job_queue ON job (user_id, number, pk) WHERE state = 'queued';
CREATE INDEX job_held ON job (user_id, pk) WHERE worker_id IS NOT NULL;
-- Entries of ended jobs are written once; the predicate is spelled as a NOT IN because with a range the planner
-- of SQLite takes the range as its key and sorts what the index has in order.
CREATE INDEX job_active ON job (user_id, class, run_us, workflow_id) WHERE class IN (0, 1);
CREATE INDEX job_ended ON job (user_id, class) WHERE class NOT IN (0, 1);
CREATE INDEX job_ended_run ON job (user_id, class, run_us) WHERE class NOT IN (0, 1);
CREATE INDEX job_ended_workflow ON job (user_id, workflow_id, class)
    WHERE class NOT IN (0, 1) AND workflow_id IS NOT NULL;
CREATE INDEX job_ended_workflow_run ON job (user_id, workflow_id, class, run_us)
    WHERE class NOT IN (0, 1) AND workflow_id IS NOT NULL;

CREATE TABLE job_body (
    job_pk INTEGER PRIMARY KEY REFERENCES job (pk) ON DELETE CASCADE,
    graph BLOB NOT NULL,
    extra_data BLOB NOT NULL,
    outputs BLOB NOT NULL,
    client_id TEXT,
    sealed_secrets BLOB
) STRICT;

CREATE TABLE job_input (
    job_pk INTEGER NOT NULL REFERENCES job (pk) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    value TEXT NOT NULL,
    hash TEXT NOT NULL,
    size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
    PRIMARY KEY (job_pk, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_input_hash ON job_input (hash);

CREATE TABLE job_output (
    pk INTEGER PRIMARY KEY,
    job_pk INTEGER NOT NULL REFERENCES job (pk) ON DELETE CASCADE,
    node_id TEXT NOT NULL,
    display_node_id TEXT NOT NULL,
    output BLOB NOT NULL,
    UNIQUE (job_pk, node_id)
) STRICT;

CREATE TABLE job_event (
    pk INTEGER PRIMARY KEY,
    job_pk INTEGER NOT NULL REFERENCES job (pk) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    data BLOB NOT NULL
) STRICT;
CREATE INDEX job_event_of_job ON job_event (job_pk);

CREATE TABLE job_attempt (
    job_pk INTEGER NOT NULL REFERENCES job (pk) ON DELETE CASCADE,
    attempt INTEGER NOT NULL CHECK (attempt > 0),
    fence INTEGER NOT NULL CHECK (fence >= attempt),
    worker_id TEXT NOT NULL,
    assigned_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    outcome TEXT,
    PRIMARY KEY (job_pk, attempt),
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE asset (
    pk INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    folder TEXT NOT NULL CHECK (folder IN ('input', 'output', 'temp')),
    subfolder TEXT NOT NULL,
    name TEXT NOT NULL CHECK (name <> ''),
    hash TEXT NOT NULL CHECK (length(hash) = 64),
    size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
    content_type TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    job_id BLOB REFERENCES job (id) ON DELETE CASCADE,
    node_id TEXT,
    output_key TEXT,
    output_index INTEGER,
    UNIQUE (user_id, folder, subfolder, name),
    CHECK ((job_id IS NULL) = (node_id IS NULL)),
    CHECK ((job_id IS NULL) = (output_key IS NULL)),
    CHECK ((job_id IS NULL) = (output_index IS NULL))
) STRICT;
CREATE INDEX asset_hash ON asset (hash, user_id);
CREATE INDEX asset_of_job ON asset (job_id) WHERE job_id IS NOT NULL;

CREATE TABLE file_counter (
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    folder TEXT NOT NULL,
    subfolder TEXT NOT NULL,
    prefix TEXT NOT NULL,
    suffix TEXT NOT NULL,
    last INTEGER NOT NULL CHECK (last >= 0),
    PRIMARY KEY (user_id, folder, subfolder, prefix, suffix)
) STRICT, WITHOUT ROWID;

CREATE TABLE worker (
    id TEXT NOT NULL PRIMARY KEY,
    boot_id TEXT NOT NULL,
    runtime TEXT NOT NULL,
    version TEXT NOT NULL,
    definitions_hash TEXT NOT NULL,
    joined_at INTEGER NOT NULL,
    system BLOB NOT NULL,
    devices BLOB NOT NULL
) STRICT;

CREATE TABLE definition_set (
    hash TEXT NOT NULL PRIMARY KEY,
    runtime TEXT NOT NULL,
    body BLOB NOT NULL,
    publication INTEGER NOT NULL,
    published_at INTEGER NOT NULL
) STRICT;
CREATE INDEX definition_set_latest ON definition_set (runtime, publication);

CREATE TABLE run_estimate (
    fingerprint TEXT NOT NULL PRIMARY KEY,
    seconds REAL NOT NULL CHECK (seconds >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE leader (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    term INTEGER NOT NULL CHECK (term > 0),
    holder TEXT NOT NULL,
    taken_at INTEGER NOT NULL
) STRICT;

CREATE TABLE health (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    checks INTEGER NOT NULL
) STRICT;
INSERT INTO health (id, checks) VALUES (1, 0);
