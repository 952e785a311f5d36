-- Each order of a library as one range, and how many assets have a form of title or a fact, so that what very many assets
-- have in common is counted and found in large libraries as in small ones.

CREATE INDEX asset_all_created ON asset (user_id, place, tag_set);
CREATE INDEX asset_all_named ON asset (user_id, folded, place, tag_set);
CREATE INDEX asset_all_updated ON asset (user_id, updated_at, place, tag_set);
CREATE INDEX asset_all_sized ON asset (user_id, size_bytes, place, tag_set);
CREATE INDEX asset_all_accessed ON asset (user_id, accessed_at, place, tag_set);

-- A form is a title with all its digits the same; the set of tags 0 is all of them.
CREATE TABLE asset_form (
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    tag_set INTEGER NOT NULL,
    form TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (user_id, form, tag_set)
) STRICT, WITHOUT ROWID;
CREATE INDEX asset_form_of_any ON asset_form (user_id, form) WHERE tag_set = 0;
CREATE TABLE asset_fact_total (
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    fact INTEGER NOT NULL,
    tag_set INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (user_id, fact, tag_set)
) STRICT, WITHOUT ROWID;

INSERT INTO asset_form (user_id, tag_set, form, n)
SELECT user_id, tag_set, form, count(*) FROM (
    SELECT user_id, CASE is_any WHEN 1 THEN 0 ELSE tag_set END AS tag_set,
        replace(replace(replace(replace(replace(replace(replace(replace(replace(
            folded, '1', '0'), '2', '0'), '3', '0'), '4', '0'), '5', '0'), '6', '0'), '7', '0'), '8', '0'), '9', '0'
        ) AS form
    FROM asset CROSS JOIN (SELECT 0 AS is_any UNION ALL SELECT 1) AS either
) AS keyed GROUP BY user_id, tag_set, form;
INSERT INTO asset_fact_total (user_id, fact, tag_set, n)
SELECT user_id, fact, tag_set, count(*) FROM asset_fact CROSS JOIN asset ON pk = asset_pk
GROUP BY user_id, fact, tag_set;

-- Blocks of two sizes, so that the one a page begins in is found among few: the axis of coarse blocks is ten higher. Each
-- begins with a fine one. Libraries are cut anew by upkeep; until then pages skip rows.
DROP TABLE asset_block;
DROP TABLE asset_cut;
CREATE TABLE asset_cut (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    axis INTEGER NOT NULL CHECK (axis BETWEEN 1 AND 5 OR axis BETWEEN 11 AND 15),
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
