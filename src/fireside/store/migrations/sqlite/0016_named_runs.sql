-- What a saved workflow takes and gives by name, where its owner has said so beside the file (JSON), and the jobs that
-- ran a saved workflow by its name: with which inputs, and which nodes make its named outputs (JSON).
ALTER TABLE user_file ADD COLUMN interface BLOB;
CREATE TABLE named_run (
    job_pk INTEGER NOT NULL PRIMARY KEY REFERENCES job (pk) ON DELETE CASCADE,
    workflow TEXT NOT NULL,
    inputs BLOB NOT NULL,
    outputs BLOB NOT NULL
) STRICT;
