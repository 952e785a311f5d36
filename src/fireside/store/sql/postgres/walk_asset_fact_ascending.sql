-- Read a window of the assets that all conditions hold for in create order, the first ones first, among those with a fact.
SELECT asset.* FROM asset_fact CROSS JOIN LATERAL (
    SELECT * FROM asset WHERE asset.pk = asset_pk OFFSET 0
) AS asset
WHERE fact = (SELECT value::bigint FROM json_array_elements_text(:facts) AS facts (value))
    AND asset_pk >= (:user_id::bigint << 40) + least(:place::bigint, 1099511627776)
    AND asset_pk BETWEEN :user_id::bigint << 40 AND (:user_id::bigint << 40) + 1099511627775 AND
    -- include: asset_conditions
ORDER BY asset_pk LIMIT :limit OFFSET :offset;
