-- Read a window of the assets that all conditions hold for by name, the last ones first, among those with a fact.
SELECT asset.* FROM (
    SELECT asset_pk FROM asset_fact INDEXED BY asset_fact_named
    WHERE whose = :user_id AND fact = (SELECT value FROM json_each(:facts))
        AND (by_name, asset_pk) < (:word, (:user_id << 40) + min(:place, 1099511627776))
        AND (:any_set OR set_of_tags IN (SELECT value FROM json_each(:sets)))
        AND (:needle = '' OR instr(by_name, :needle) > 0)
        AND (NOT :asks_more OR EXISTS (
            SELECT 1 FROM asset WHERE asset.pk = asset_pk AND
                -- include: asset_conditions
        ))
    ORDER BY by_name DESC, asset_pk DESC LIMIT :limit OFFSET :offset
) AS page CROSS JOIN asset ON asset.pk = page.asset_pk ORDER BY asset.folded DESC, asset.place DESC;
