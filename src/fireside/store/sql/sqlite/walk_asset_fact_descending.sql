-- Read a window of the assets that all conditions hold for in create order, the last ones first, among those with a fact.
SELECT asset.* FROM asset_fact CROSS JOIN asset ON asset.pk = asset_pk
WHERE fact = (SELECT value FROM json_each(:facts)) AND asset_pk < (:user_id << 40) + min(:place, 1099511627776)
    AND asset_pk BETWEEN :user_id << 40 AND (:user_id << 40) + 1099511627775 AND
    -- include: asset_conditions
ORDER BY asset_pk DESC LIMIT :limit OFFSET :offset;
