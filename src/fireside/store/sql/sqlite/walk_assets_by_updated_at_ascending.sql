-- Read a window of the assets that all conditions hold for by their last change, the first ones first, by looking at the order's rows.
SELECT asset.* FROM (
    SELECT pk, updated_at, place FROM asset INDEXED BY asset_all_updated
    WHERE (updated_at, place) >= (:number, :place) AND
        -- include: asset_conditions
    ORDER BY updated_at, place LIMIT :limit OFFSET :offset
) AS page CROSS JOIN asset ON asset.pk = page.pk ORDER BY asset.updated_at, asset.place;
