-- What workers publish about themselves, once for all that are equal, and what each of them has published.

CREATE TABLE published (
    topic TEXT NOT NULL CHECK (topic IN ('definitions', 'models', 'validators', 'snapshot')),
    hash TEXT NOT NULL,
    body BLOB NOT NULL,
    published_at INTEGER NOT NULL,
    PRIMARY KEY (topic, hash)
) STRICT;
INSERT INTO published (topic, hash, body, published_at)
SELECT 'definitions', hash, body, published_at FROM definition_set;
DROP TABLE definition_set;

ALTER TABLE worker ADD COLUMN models_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE worker ADD COLUMN validators_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE worker ADD COLUMN snapshot_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE worker ADD COLUMN seen_at INTEGER NOT NULL DEFAULT 0;
UPDATE worker SET seen_at = joined_at;
