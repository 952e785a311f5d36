-- Read a window of the assets that all conditions hold for by size, the first ones first, among those with a fact.
-- The index says all but the title.
SELECT asset.* FROM (
    SELECT asset_pk FROM asset_fact
    WHERE (by_size, asset_pk) >= (:number::bigint, (:user_id::bigint << 40) + least(:place::bigint, 1099511627776))
        AND (by_size, asset_pk) < (:stop_number::bigint, (:user_id::bigint << 40) + least(:stop_place::bigint, 1099511627776)) AND
        -- include: asset_fact_walked
        AND
        -- include: asset_fact_named
    ORDER BY by_size, asset_pk LIMIT :limit OFFSET :offset
) AS page JOIN asset ON asset.pk = page.asset_pk ORDER BY asset.size_bytes, asset.place;
