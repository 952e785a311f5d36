-- Read a window of the assets that all conditions hold for in create order, the last ones first, among those with a fact.
-- The index says all but the title.
SELECT asset.* FROM (
    SELECT asset_pk FROM asset_fact INDEXED BY asset_fact_created
    WHERE asset_pk < (:user_id << 40) + min(:place, 1099511627776)
        AND asset_pk >= (:user_id << 40) + min(:stop_place, 1099511627776) AND
        -- include: asset_fact_walked
        AND
        -- include: asset_fact_titled
    ORDER BY asset_pk DESC LIMIT :limit OFFSET :offset
) AS page CROSS JOIN asset ON asset.pk = page.asset_pk ORDER BY asset.place DESC;
