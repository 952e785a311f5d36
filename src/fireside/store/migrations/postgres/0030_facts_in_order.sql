-- online: what has a fact is in each order.
CREATE INDEX CONCURRENTLY IF NOT EXISTS asset_fact_unkeyed ON asset_fact (asset_pk) WHERE whose IS NULL;
UPDATE asset_fact SET whose = user_id, set_of_tags = tag_set, by_name = folded, by_update = updated_at,
    by_size = size_bytes, by_access = accessed_at
FROM (
    SELECT asset_pk AS of_asset, fact AS of_fact FROM asset_fact WHERE whose IS NULL ORDER BY asset_pk LIMIT 10000
) AS few JOIN asset ON pk = of_asset
WHERE asset_pk = of_asset AND fact = of_fact;
DROP INDEX CONCURRENTLY IF EXISTS asset_fact_unkeyed;
ALTER TABLE asset_fact VALIDATE CONSTRAINT asset_fact_keys;
CREATE INDEX CONCURRENTLY IF NOT EXISTS asset_fact_created ON asset_fact (whose, fact, asset_pk, set_of_tags);
CREATE INDEX CONCURRENTLY IF NOT EXISTS asset_fact_named ON asset_fact (whose, fact, by_name, asset_pk, set_of_tags);
CREATE INDEX CONCURRENTLY IF NOT EXISTS asset_fact_updated ON asset_fact (whose, fact, by_update, asset_pk, set_of_tags);
CREATE INDEX CONCURRENTLY IF NOT EXISTS asset_fact_sized ON asset_fact (whose, fact, by_size, asset_pk, set_of_tags);
CREATE INDEX CONCURRENTLY IF NOT EXISTS asset_fact_accessed ON asset_fact (whose, fact, by_access, asset_pk, set_of_tags);
DROP INDEX CONCURRENTLY IF EXISTS asset_fact_found;
