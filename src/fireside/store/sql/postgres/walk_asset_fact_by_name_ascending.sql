-- Read a window of the assets that all conditions hold for by name, the first ones first, among those with a fact.
SELECT asset.* FROM (
    SELECT asset_pk FROM asset_fact
    WHERE (by_name, asset_pk) >= (:word::text, (:user_id::bigint << 40) + least(:place::bigint, 1099511627776))
        AND (by_name, asset_pk) < (:stop_word::text, (:user_id::bigint << 40) + least(:stop_place::bigint, 1099511627776)) AND
        -- include: asset_fact_walked
        AND
        -- include: asset_fact_named
    ORDER BY by_name, asset_pk LIMIT :limit OFFSET :offset
) AS page JOIN asset ON asset.pk = page.asset_pk ORDER BY asset.folded, asset.place;
