-- Whether the servers only read: one row while they do.
CREATE TABLE maintenance (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    began_at INTEGER NOT NULL,
    reason TEXT NOT NULL
) STRICT;
