-- What bytes say of themselves, by their hash: how large a picture is, how long a film plays. It goes with the bytes.
CREATE TABLE blob_metadata (
    hash TEXT PRIMARY KEY,
    metadata BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Up to which hash those were looked at that were there before; NULL: all of them.
CREATE TABLE blob_measuring (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    measured_until TEXT
) STRICT;
INSERT INTO blob_measuring (id, measured_until) VALUES (1, '');
