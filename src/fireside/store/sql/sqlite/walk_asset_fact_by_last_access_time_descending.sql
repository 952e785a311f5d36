-- Read a window of the assets that all conditions hold for by access, the last ones first, among those with a fact.
-- The index says all but the title.
SELECT asset.* FROM (
    SELECT asset_pk FROM asset_fact INDEXED BY asset_fact_accessed
    WHERE (by_access, asset_pk) < (:number, (:user_id << 40) + min(:place, 1099511627776))
        AND (by_access, asset_pk) >= (:stop_number, (:user_id << 40) + min(:stop_place, 1099511627776)) AND
        -- include: asset_fact_walked
        AND
        -- include: asset_fact_named
    ORDER BY by_access DESC, asset_pk DESC LIMIT :limit OFFSET :offset
) AS page CROSS JOIN asset ON asset.pk = page.asset_pk ORDER BY asset.accessed_at DESC, asset.place DESC;
