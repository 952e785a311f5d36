-- What callers note on their jobs, to find them again by, and the keys that make a repeated submit harmless.

-- The notes as the caller wrote them (JSON), and each of them where it is looked up: by key and value, in create order.
ALTER TABLE job ADD COLUMN metadata bytea;
CREATE TABLE job_label (
    job_pk bigint NOT NULL REFERENCES job (pk) ON DELETE CASCADE,
    key text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL,
    PRIMARY KEY (job_pk, key)
);
CREATE INDEX job_label_place ON job_label (key, value, job_pk);

CREATE TABLE idempotency_key (
    user_id integer NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    route text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    claimed_at bigint NOT NULL,
    PRIMARY KEY (user_id, route, key)
);
CREATE INDEX idempotency_key_age ON idempotency_key (claimed_at);
