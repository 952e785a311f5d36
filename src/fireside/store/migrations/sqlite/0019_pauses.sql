-- Queues of which nothing is handed out: a user's, by its owner or by an admin; with the user 0 everybody's.
CREATE TABLE pause (
    user_id INTEGER NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('owner', 'admin')),
    paused_at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (user_id, origin)
) STRICT, WITHOUT ROWID;
