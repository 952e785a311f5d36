-- Assets with tags, words of their owner, and lists of them that cost the same however many there are.

-- The distinct sets of tags of a user's assets, as sorted JSON lists: an asset's set is one small number.
CREATE TABLE tag_set (
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    tag_set INTEGER NOT NULL CHECK (tag_set > 0),
    tags TEXT NOT NULL,
    PRIMARY KEY (user_id, tag_set),
    UNIQUE (user_id, tags)
) STRICT, WITHOUT ROWID;

-- `pk` is (user_id << 40) | place, and `place` the create order among a user's assets. `folded` is the title without
-- regard to case. `content_type` is what the bytes are, `mime_type` what the owner says of them.
ALTER TABLE asset RENAME TO asset_before;
CREATE TABLE asset (
    pk INTEGER PRIMARY KEY,
    place INTEGER NOT NULL CHECK (place BETWEEN 1 AND 1099511627775),
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    folder TEXT NOT NULL CHECK (folder IN ('input', 'output', 'temp')),
    subfolder TEXT NOT NULL,
    name TEXT NOT NULL CHECK (name <> ''),
    title TEXT NOT NULL CHECK (title <> ''),
    folded TEXT NOT NULL,
    tag_set INTEGER NOT NULL,
    tags TEXT NOT NULL,
    hash TEXT NOT NULL CHECK (length(hash) = 64),
    size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
    content_type TEXT NOT NULL,
    mime_type TEXT,
    user_metadata BLOB NOT NULL,
    preview_id BLOB REFERENCES asset (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    accessed_at INTEGER NOT NULL,
    expires_at INTEGER,
    job_id BLOB REFERENCES job (id) ON DELETE CASCADE,
    node_id TEXT,
    output_key TEXT,
    output_index INTEGER,
    UNIQUE (user_id, folder, subfolder, name),
    FOREIGN KEY (user_id, tag_set) REFERENCES tag_set (user_id, tag_set),
    CHECK (pk = (user_id << 40) + place),
    CHECK ((job_id IS NULL) = (node_id IS NULL)),
    CHECK ((job_id IS NULL) = (output_key IS NULL)),
    CHECK ((job_id IS NULL) = (output_index IS NULL))
) STRICT;

-- How many assets there are of each set of tags.
CREATE TABLE asset_total (
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    tag_set INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (user_id, tag_set)
) STRICT, WITHOUT ROWID;

-- Large libraries are cut into blocks, in each order anew. Axes: 1 create order, 2 name, 3 update, 4 size, 5 access.
-- A block begins at its cut and ends at the next one; a cut is (number, word, place), of which names use the word and
-- other orders the number.
CREATE TABLE asset_cut (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    axis INTEGER NOT NULL CHECK (axis BETWEEN 1 AND 5),
    number INTEGER NOT NULL,
    word TEXT NOT NULL,
    place INTEGER NOT NULL,
    UNIQUE (user_id, axis, number, word, place)
) STRICT;
CREATE TABLE asset_block (
    cut_id INTEGER NOT NULL REFERENCES asset_cut (id) ON DELETE CASCADE,
    tag_set INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (cut_id, tag_set)
) STRICT, WITHOUT ROWID;

-- What the owners' words say, each fact as a number that equal ones share.
CREATE TABLE asset_fact (
    asset_pk INTEGER NOT NULL REFERENCES asset (pk) ON DELETE CASCADE,
    fact INTEGER NOT NULL,
    PRIMARY KEY (asset_pk, fact)
) STRICT, WITHOUT ROWID;
CREATE INDEX asset_fact_found ON asset_fact (fact, asset_pk);

-- Where which three characters stand in titles; an index, and kept as one.
CREATE VIRTUAL TABLE asset_title USING fts5 (folded, content='', tokenize='trigram', detail='none', columnsize=0);
CREATE TRIGGER asset_title_added AFTER INSERT ON asset BEGIN
    INSERT INTO asset_title (rowid, folded) VALUES (new.pk, new.folded);
END;
CREATE TRIGGER asset_title_removed AFTER DELETE ON asset BEGIN
    INSERT INTO asset_title (asset_title, rowid, folded) VALUES ('delete', old.pk, old.folded);
END;
CREATE TRIGGER asset_title_changed AFTER UPDATE OF folded ON asset WHEN old.folded <> new.folded BEGIN
    INSERT INTO asset_title (asset_title, rowid, folded) VALUES ('delete', old.pk, old.folded);
    INSERT INTO asset_title (rowid, folded) VALUES (new.pk, new.folded);
END;

INSERT INTO tag_set (user_id, tag_set, tags)
SELECT DISTINCT user_id, CASE folder WHEN 'input' THEN 1 WHEN 'output' THEN 2 ELSE 3 END, '["' || folder || '"]'
FROM asset_before;
INSERT INTO asset (
    pk, place, tag_set, tags, title, folded, user_metadata, updated_at, accessed_at,
    id, user_id, folder, subfolder, name, hash, size_bytes, content_type, created_at,
    job_id, node_id, output_key, output_index
)
SELECT (CAST(user_id AS INTEGER) << 40) + place, place,
    CASE folder WHEN 'input' THEN 1 WHEN 'output' THEN 2 ELSE 3 END, '["' || folder || '"]',
    name, lower(name), x'7b7d', created_at, created_at,
    id, user_id, folder, subfolder, name, hash, size_bytes, content_type, created_at,
    job_id, node_id, output_key, output_index
FROM (SELECT asset_before.*, row_number() OVER (PARTITION BY user_id ORDER BY pk) AS place FROM asset_before) AS placed;
DROP TABLE asset_before;
INSERT INTO asset_total (user_id, tag_set, n) SELECT user_id, tag_set, count(*) FROM asset GROUP BY user_id, tag_set;

CREATE INDEX asset_hash ON asset (hash, user_id);
CREATE INDEX asset_of_job ON asset (job_id) WHERE job_id IS NOT NULL;
CREATE INDEX asset_expiry ON asset (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX asset_preview ON asset (preview_id) WHERE preview_id IS NOT NULL;
-- One order each for what a list can be sorted by; every tag set is a range of it.
CREATE INDEX asset_created ON asset (user_id, tag_set, place);
CREATE INDEX asset_named ON asset (user_id, tag_set, folded, place);
CREATE INDEX asset_updated ON asset (user_id, tag_set, updated_at, place);
CREATE INDEX asset_sized ON asset (user_id, tag_set, size_bytes, place);
CREATE INDEX asset_accessed ON asset (user_id, tag_set, accessed_at, place);
