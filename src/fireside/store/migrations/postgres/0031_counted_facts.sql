-- How many assets have both a fact and a form of title.
CREATE TABLE asset_fact_form (
    user_id integer NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    fact bigint NOT NULL,
    form text COLLATE "C" NOT NULL,
    tag_set integer NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (user_id, fact, form, tag_set)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
INSERT INTO asset_fact_form (user_id, fact, form, tag_set, n)
SELECT whose, fact, translate(by_name, '123456789', '000000000'), set_of_tags, count(*)
FROM asset_fact GROUP BY 1, 2, 3, 4;
