-- What a saved workflow takes and gives by name, where its owner has said so beside the file (JSON), and the jobs that
-- ran a saved workflow by its name: with which inputs, and which nodes make its named outputs (JSON).
ALTER TABLE user_file ADD COLUMN interface bytea;
CREATE TABLE named_run (
    job_pk bigint PRIMARY KEY REFERENCES job (pk) ON DELETE CASCADE,
    workflow text COLLATE "C" NOT NULL,
    inputs bytea NOT NULL,
    outputs bytea NOT NULL
);
