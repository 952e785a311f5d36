-- What callers note on their jobs, to find them again by, and the keys that make a repeated submit harmless.

-- The notes as the caller wrote them (JSON), and each of them where it is looked up: by key and value, in create order.
ALTER TABLE job ADD COLUMN metadata BLOB;
CREATE TABLE job_label (
    job_pk INTEGER NOT NULL REFERENCES job (pk) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (job_pk, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_label_place ON job_label (key, value, job_pk);

CREATE TABLE idempotency_key (
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    route TEXT NOT NULL,
    key TEXT NOT NULL,
    claimed_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, route, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_key_age ON idempotency_key (claimed_at);
