-- What users have used: by the day on which their jobs ended and the key that submitted them, and by month and workflow.
-- It is written in the transaction that ends a job, and stays when the job goes. Days are counted from 1970 in UTC; a month
-- is its first day; the key 0 is none, of browsers for instance.

ALTER TABLE job ADD COLUMN key_id INTEGER;

CREATE TABLE usage_day (
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    day INTEGER NOT NULL,
    key_id INTEGER NOT NULL,
    jobs INTEGER NOT NULL,
    gpu_us INTEGER NOT NULL,
    made_bytes INTEGER NOT NULL,
    PRIMARY KEY (user_id, day, key_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE usage_workflow (
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    month INTEGER NOT NULL,
    workflow TEXT NOT NULL,
    jobs INTEGER NOT NULL,
    gpu_us INTEGER NOT NULL,
    made_bytes INTEGER NOT NULL,
    PRIMARY KEY (user_id, month, workflow)
) STRICT, WITHOUT ROWID;

-- How many bytes the files of a user have, equal ones counted each.
CREATE TABLE asset_bytes (
    user_id INTEGER NOT NULL PRIMARY KEY REFERENCES user (id) ON DELETE CASCADE,
    bytes INTEGER NOT NULL
) STRICT;

-- How many workers there were, how many of them ran something, and how many jobs waited, at most within some minutes.
CREATE TABLE fleet_sample (
    slot INTEGER NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    workers INTEGER NOT NULL,
    busy INTEGER NOT NULL,
    waiting INTEGER NOT NULL
) STRICT;

-- What a user may use in a month, and store; null is the server's setting, 0 no limit.
ALTER TABLE user ADD COLUMN quota_gpu_seconds REAL CHECK (quota_gpu_seconds >= 0);
ALTER TABLE user ADD COLUMN quota_jobs INTEGER CHECK (quota_jobs >= 0);
ALTER TABLE user ADD COLUMN quota_bytes INTEGER CHECK (quota_bytes >= 0);

INSERT INTO usage_day (user_id, day, key_id, jobs, gpu_us, made_bytes)
SELECT user_id, ended_at / 86400000000, 0, count(*), sum(CAST(round(charged_seconds * 1000000) AS INTEGER)), 0
FROM job WHERE ended_at IS NOT NULL GROUP BY user_id, ended_at / 86400000000;
INSERT INTO asset_bytes (user_id, bytes) SELECT user_id, sum(size_bytes) FROM asset GROUP BY user_id;
