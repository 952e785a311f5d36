-- Who is told of users' jobs, and the messages for them, written with the changes that they tell of.
-- `due_at` is when somebody may try the first message that waits, NULL while none does.
CREATE TABLE webhook (
    pk INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    url TEXT NOT NULL,
    events INTEGER NOT NULL CHECK (events > 0),
    is_standing INTEGER NOT NULL CHECK (is_standing IN (0, 1)),
    failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
    due_at INTEGER,
    created_at INTEGER NOT NULL,
    UNIQUE (user_id, url)
) STRICT;
CREATE INDEX webhook_standing ON webhook (user_id) WHERE is_standing;
CREATE INDEX webhook_passing ON webhook (created_at) WHERE NOT is_standing;
CREATE INDEX webhook_due ON webhook (user_id, due_at) WHERE due_at IS NOT NULL;

-- Sealed secrets; `webhook_id` 0 has that of all webhooks which submits name.
CREATE TABLE webhook_secret (
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    webhook_id INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    former_sealed BLOB,
    former_expires_at INTEGER,
    PRIMARY KEY (user_id, webhook_id)
) STRICT;

CREATE TABLE job_webhook (
    job_pk INTEGER NOT NULL REFERENCES job (pk) ON DELETE CASCADE,
    webhook_pk INTEGER NOT NULL REFERENCES webhook (pk) ON DELETE CASCADE,
    PRIMARY KEY (job_pk, webhook_pk)
) STRICT;
CREATE INDEX job_webhook_jobs ON job_webhook (webhook_pk);

CREATE TABLE webhook_delivery (
    pk INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook_pk INTEGER NOT NULL REFERENCES webhook (pk) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    job_id BLOB NOT NULL,
    message_id BLOB NOT NULL,
    event INTEGER NOT NULL,
    data BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    tried_at INTEGER,
    over_at INTEGER,
    status INTEGER,
    answer TEXT,
    error TEXT,
    CHECK ((state = 'pending') = (over_at IS NULL))
) STRICT;
CREATE INDEX webhook_delivery_waiting ON webhook_delivery (webhook_pk) WHERE state = 'pending';
CREATE INDEX webhook_delivery_of_webhook ON webhook_delivery (webhook_pk);
CREATE INDEX webhook_delivery_of_user ON webhook_delivery (user_id);
CREATE INDEX webhook_delivery_of_job ON webhook_delivery (job_id);
CREATE INDEX webhook_delivery_over ON webhook_delivery (over_at) WHERE over_at IS NOT NULL;
