-- What has a fact is in each order, and counted by the forms of titles too.

-- Where an asset stands in each order goes along with its facts, whatever changes it.
CREATE TABLE asset_fact_keyed (
    asset_pk INTEGER NOT NULL REFERENCES asset (pk) ON DELETE CASCADE,
    fact INTEGER NOT NULL,
    whose INTEGER NOT NULL,
    set_of_tags INTEGER NOT NULL,
    by_name TEXT NOT NULL,
    by_update INTEGER NOT NULL,
    by_size INTEGER NOT NULL,
    by_access INTEGER NOT NULL,
    PRIMARY KEY (asset_pk, fact)
) STRICT, WITHOUT ROWID;
INSERT INTO asset_fact_keyed (asset_pk, fact, whose, set_of_tags, by_name, by_update, by_size, by_access)
SELECT asset_pk, fact, user_id, tag_set, folded, updated_at, size_bytes, accessed_at
FROM asset_fact CROSS JOIN asset ON pk = asset_pk ORDER BY asset_pk, fact;
DROP TABLE asset_fact;
ALTER TABLE asset_fact_keyed RENAME TO asset_fact;
CREATE INDEX asset_fact_created ON asset_fact (whose, fact, asset_pk, set_of_tags);
CREATE INDEX asset_fact_named ON asset_fact (whose, fact, by_name, asset_pk, set_of_tags);
CREATE INDEX asset_fact_updated ON asset_fact (whose, fact, by_update, asset_pk, set_of_tags);
CREATE INDEX asset_fact_sized ON asset_fact (whose, fact, by_size, asset_pk, set_of_tags);
CREATE INDEX asset_fact_accessed ON asset_fact (whose, fact, by_access, asset_pk, set_of_tags);
CREATE TRIGGER asset_keys_changed AFTER UPDATE OF tag_set, folded, updated_at, size_bytes, accessed_at ON asset BEGIN
    UPDATE asset_fact SET set_of_tags = new.tag_set, by_name = new.folded, by_update = new.updated_at,
        by_size = new.size_bytes, by_access = new.accessed_at
    WHERE asset_pk = new.pk;
END;

-- How many assets have both a fact and a form of title.
CREATE TABLE asset_fact_form (
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    fact INTEGER NOT NULL,
    form TEXT NOT NULL,
    tag_set INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (user_id, fact, form, tag_set)
) STRICT, WITHOUT ROWID;
INSERT INTO asset_fact_form (user_id, fact, form, tag_set, n)
SELECT whose, fact, form, set_of_tags, count(*) FROM (
    SELECT whose, fact, set_of_tags,
        replace(replace(replace(replace(replace(replace(replace(replace(replace(
            by_name, '1', '0'), '2', '0'), '3', '0'), '4', '0'), '5', '0'), '6', '0'), '7', '0'), '8', '0'), '9', '0'
        ) AS form
    FROM asset_fact
) AS keyed GROUP BY whose, fact, form, set_of_tags;
