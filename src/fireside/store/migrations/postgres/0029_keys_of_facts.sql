-- Where an asset stands in each order goes along with its facts, whatever changes it. The columns are named unlike those of
-- assets, because former servers join both and name columns alone; these servers' facts get them too.
ALTER TABLE asset_fact
    ADD COLUMN whose integer,
    ADD COLUMN set_of_tags integer,
    ADD COLUMN by_name text COLLATE "C",
    ADD COLUMN by_update bigint,
    ADD COLUMN by_size bigint,
    ADD COLUMN by_access bigint,
    ADD CONSTRAINT asset_fact_keys
        CHECK (num_nulls(whose, set_of_tags, by_name, by_update, by_size, by_access) = 0) NOT VALID;
ALTER TABLE asset_fact SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 5000
);

CREATE FUNCTION give_asset_fact_keys() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    SELECT user_id, tag_set, folded, updated_at, size_bytes, accessed_at
    INTO NEW.whose, NEW.set_of_tags, NEW.by_name, NEW.by_update, NEW.by_size, NEW.by_access
    FROM asset WHERE pk = NEW.asset_pk;
    RETURN NEW;
END $$;
CREATE TRIGGER asset_fact_added BEFORE INSERT ON asset_fact
FOR EACH ROW WHEN (NEW.whose IS NULL) EXECUTE FUNCTION give_asset_fact_keys();

CREATE FUNCTION change_asset_fact_keys() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE asset_fact SET whose = NEW.user_id, set_of_tags = NEW.tag_set, by_name = NEW.folded,
        by_update = NEW.updated_at, by_size = NEW.size_bytes, by_access = NEW.accessed_at
    WHERE asset_pk = NEW.pk;
    RETURN NULL;
END $$;
CREATE TRIGGER asset_keys_changed AFTER UPDATE OF tag_set, folded, updated_at, size_bytes, accessed_at ON asset
FOR EACH ROW EXECUTE FUNCTION change_asset_fact_keys();
