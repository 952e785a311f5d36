-- Read a window of the assets that all conditions hold for by name, the first ones first, among those with a fact.
SELECT asset.* FROM (
    SELECT asset_pk FROM asset_fact
    WHERE whose = :user_id AND fact = (SELECT value::bigint FROM json_array_elements_text(:facts) AS facts (value))
        AND (by_name, asset_pk) >= (:word::text, (:user_id::bigint << 40) + least(:place::bigint, 1099511627776))
        AND (:any_set::boolean OR set_of_tags = ANY (
            ARRAY(SELECT value::integer FROM json_array_elements_text(:sets) AS sets (value))
        ))
        AND (:needle::text = '' OR strpos(by_name, :needle::text) > 0)
        AND (NOT :asks_more::boolean OR 0 < (
            SELECT count(*) FROM asset WHERE asset.pk = asset_pk AND
                -- include: asset_conditions
        ))
    ORDER BY by_name, asset_pk LIMIT :limit OFFSET :offset
) AS page JOIN asset ON asset.pk = page.asset_pk ORDER BY asset.folded, asset.place;
