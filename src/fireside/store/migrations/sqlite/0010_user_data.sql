-- What the editor keeps for its user: files by path, and settings by name.

CREATE TABLE user_file (
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    path TEXT NOT NULL CHECK (path <> ''),
    folder TEXT NOT NULL,
    hash TEXT NOT NULL CHECK (length(hash) = 64),
    size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
    created_at INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_file_in_folder ON user_file (user_id, folder, path);
CREATE INDEX user_file_hash ON user_file (hash);

-- How many files a user has and how large they are, so that a limit needs no counting.
CREATE TABLE user_file_total (
    user_id INTEGER NOT NULL PRIMARY KEY REFERENCES user (id) ON DELETE CASCADE,
    files INTEGER NOT NULL CHECK (files >= 0),
    bytes INTEGER NOT NULL CHECK (bytes >= 0)
) STRICT;

CREATE TABLE user_setting (
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    name TEXT NOT NULL CHECK (name <> ''),
    value BLOB NOT NULL,
    PRIMARY KEY (user_id, name)
) STRICT, WITHOUT ROWID;
