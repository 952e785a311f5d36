-- Read a window of the assets that all conditions hold for by size, the last ones first, among those with a fact.
-- The index says all but the title.
SELECT asset.* FROM (
    SELECT asset_pk FROM asset_fact INDEXED BY asset_fact_sized
    WHERE (by_size, asset_pk) < (:number, (:user_id << 40) + min(:place, 1099511627776))
        AND (by_size, asset_pk) >= (:stop_number, (:user_id << 40) + min(:stop_place, 1099511627776)) AND
        -- include: asset_fact_walked
        AND
        -- include: asset_fact_named
    ORDER BY by_size DESC, asset_pk DESC LIMIT :limit OFFSET :offset
) AS page CROSS JOIN asset ON asset.pk = page.asset_pk ORDER BY asset.size_bytes DESC, asset.place DESC;
