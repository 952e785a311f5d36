-- What users have used: by the day on which their jobs ended and the key that submitted them, and by month and workflow.
-- It is written in the transaction that ends a job, and stays when the job goes. Days are counted from 1970 in UTC; a month
-- is its first day; the key 0 is none, of browsers for instance.

ALTER TABLE job ADD COLUMN key_id bigint;

CREATE TABLE usage_day (
    user_id integer NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    day integer NOT NULL,
    key_id bigint NOT NULL,
    jobs bigint NOT NULL,
    gpu_us bigint NOT NULL,
    made_bytes bigint NOT NULL,
    PRIMARY KEY (user_id, day, key_id)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE TABLE usage_workflow (
    user_id integer NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    month integer NOT NULL,
    workflow text COLLATE "C" NOT NULL,
    jobs bigint NOT NULL,
    gpu_us bigint NOT NULL,
    made_bytes bigint NOT NULL,
    PRIMARY KEY (user_id, month, workflow)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- How many bytes the files of a user have, equal ones counted each.
CREATE TABLE asset_bytes (
    user_id integer PRIMARY KEY REFERENCES "user" (id) ON DELETE CASCADE,
    bytes bigint NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- How many workers there were, how many of them ran something, and how many jobs waited, at most within some minutes.
CREATE TABLE fleet_sample (
    slot bigint PRIMARY KEY,
    at bigint NOT NULL,
    workers bigint NOT NULL,
    busy bigint NOT NULL,
    waiting bigint NOT NULL
);

-- What a user may use in a month, and store; null is the server's setting, 0 no limit.
ALTER TABLE "user" ADD COLUMN quota_gpu_seconds double precision CHECK (quota_gpu_seconds >= 0);
ALTER TABLE "user" ADD COLUMN quota_jobs bigint CHECK (quota_jobs >= 0);
ALTER TABLE "user" ADD COLUMN quota_bytes bigint CHECK (quota_bytes >= 0);

INSERT INTO usage_day (user_id, day, key_id, jobs, gpu_us, made_bytes)
SELECT user_id, ended_at / 86400000000, 0, count(*), sum(round(charged_seconds * 1000000)::bigint)::bigint, 0
FROM job WHERE ended_at IS NOT NULL GROUP BY user_id, ended_at / 86400000000;
INSERT INTO asset_bytes (user_id, bytes) SELECT user_id, sum(size_bytes)::bigint FROM asset GROUP BY user_id;
