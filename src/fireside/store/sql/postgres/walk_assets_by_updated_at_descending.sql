-- Read a window of the assets that all conditions hold for by their last change, the last ones first, by looking at the order's rows.
SELECT asset.* FROM (
    SELECT pk, updated_at, place FROM asset
    WHERE (updated_at, place) < (:number::bigint, :place::bigint) AND
        -- include: asset_conditions
    ORDER BY updated_at DESC, place DESC LIMIT :limit OFFSET :offset
) AS page JOIN asset ON asset.pk = page.pk ORDER BY asset.updated_at DESC, asset.place DESC;
