-- What workers publish about themselves, once for all that are equal, and what each of them has published.

CREATE TABLE published (
    topic text COLLATE "C" NOT NULL CHECK (topic IN ('definitions', 'models', 'validators', 'snapshot')),
    hash text COLLATE "C" NOT NULL,
    body bytea NOT NULL,
    published_at bigint NOT NULL,
    PRIMARY KEY (topic, hash)
);
INSERT INTO published (topic, hash, body, published_at)
SELECT 'definitions', hash, body, published_at FROM definition_set;
DROP TABLE definition_set;

ALTER TABLE worker ADD COLUMN models_hash text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE worker ADD COLUMN validators_hash text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE worker ADD COLUMN snapshot_hash text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE worker ADD COLUMN seen_at bigint NOT NULL DEFAULT 0;
UPDATE worker SET seen_at = joined_at;
