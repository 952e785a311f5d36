-- Read a window of the assets that all conditions hold for by access, the first ones first, among those with a fact.
-- The index says all but the title.
SELECT asset.* FROM (
    SELECT asset_pk FROM asset_fact INDEXED BY asset_fact_accessed
    WHERE whose = :user_id AND fact = (SELECT value FROM json_each(:facts))
        AND (by_access, asset_pk) >= (:number, (:user_id << 40) + min(:place, 1099511627776))
        AND (:any_set OR set_of_tags IN (SELECT value FROM json_each(:sets)))
        AND (:needle = '' OR EXISTS (
            SELECT 1 FROM asset_fact AS titled WHERE titled.asset_pk = asset_fact.asset_pk
                AND titled.fact = asset_fact.fact AND instr(titled.by_name, :needle) > 0
        ))
        AND (NOT :asks_more OR EXISTS (
            SELECT 1 FROM asset WHERE asset.pk = asset_pk AND
                -- include: asset_conditions
        ))
    ORDER BY by_access, asset_pk LIMIT :limit OFFSET :offset
) AS page CROSS JOIN asset ON asset.pk = page.asset_pk ORDER BY asset.accessed_at, asset.place;
