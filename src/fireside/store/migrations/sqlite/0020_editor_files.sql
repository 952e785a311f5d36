-- Workers publish the translations and example workflows of their node packs, too.

CREATE TABLE published_anew (
    topic TEXT NOT NULL CHECK (topic IN ('definitions', 'models', 'validators', 'snapshot', 'subgraphs', 'editor')),
    hash TEXT NOT NULL,
    body BLOB NOT NULL,
    published_at INTEGER NOT NULL,
    PRIMARY KEY (topic, hash)
) STRICT;
INSERT INTO published_anew (topic, hash, body, published_at) SELECT topic, hash, body, published_at FROM published;
DROP TABLE published;
ALTER TABLE published_anew RENAME TO published;

ALTER TABLE worker ADD COLUMN editor_hash TEXT NOT NULL DEFAULT '';
