-- What the editor keeps for its user: files by path, and settings by name.

CREATE TABLE user_file (
    user_id integer NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    path text COLLATE "C" NOT NULL CHECK (path <> ''),
    folder text COLLATE "C" NOT NULL,
    hash text COLLATE "C" NOT NULL CHECK (length(hash) = 64),
    size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
    created_at bigint NOT NULL,
    modified_at bigint NOT NULL,
    PRIMARY KEY (user_id, path)
);
CREATE INDEX user_file_in_folder ON user_file (user_id, folder, path);
CREATE INDEX user_file_hash ON user_file (hash);

-- How many files a user has and how large they are, so that a limit needs no counting.
CREATE TABLE user_file_total (
    user_id integer PRIMARY KEY REFERENCES "user" (id) ON DELETE CASCADE,
    files bigint NOT NULL CHECK (files >= 0),
    bytes bigint NOT NULL CHECK (bytes >= 0)
);

CREATE TABLE user_setting (
    user_id integer NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    name text COLLATE "C" NOT NULL CHECK (name <> ''),
    value bytea NOT NULL,
    PRIMARY KEY (user_id, name)
);
