-- How many assets have a form of title or a fact, so that what very many assets have in common is counted in large libraries
-- as in small ones.

-- A form is a title with all its digits the same; the set of tags 0 is all of them.
CREATE TABLE asset_form (
    user_id integer NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    tag_set integer NOT NULL,
    form text COLLATE "C" NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (user_id, form, tag_set)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX asset_form_of_any ON asset_form (user_id, form) WHERE tag_set = 0;
CREATE TABLE asset_fact_total (
    user_id integer NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    fact bigint NOT NULL,
    tag_set integer NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (user_id, fact, tag_set)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

INSERT INTO asset_form (user_id, tag_set, form, n)
SELECT user_id, tag_set, form, count(*) FROM (
    SELECT user_id, CASE is_any WHEN 1 THEN 0 ELSE tag_set END AS tag_set,
        translate(folded, '123456789', '000000000') AS form
    FROM asset CROSS JOIN (VALUES (0), (1)) AS either (is_any)
) AS keyed GROUP BY user_id, tag_set, form;
INSERT INTO asset_fact_total (user_id, fact, tag_set, n)
SELECT user_id, fact, tag_set, count(*) FROM asset_fact JOIN asset ON pk = asset_pk GROUP BY user_id, fact, tag_set;

-- Blocks of two sizes, so that the one a page begins in is found among few: the axis of coarse blocks is ten higher. Each
-- begins with a fine one. Libraries are cut anew by upkeep; until then pages skip rows.
DELETE FROM asset_cut;
ALTER TABLE asset_cut DROP CONSTRAINT asset_cut_axis_check;
ALTER TABLE asset_cut ADD CONSTRAINT asset_cut_axis_check CHECK (axis BETWEEN 1 AND 5 OR axis BETWEEN 11 AND 15);
