-- Read a window of the assets that all conditions hold for in create order, the last ones first, by looking at the order's rows.
SELECT asset.* FROM (
    SELECT pk, place FROM asset
    WHERE place < :place::bigint AND
        -- include: asset_conditions
    ORDER BY place DESC LIMIT :limit OFFSET :offset
) AS page JOIN asset ON asset.pk = page.pk ORDER BY asset.place DESC;
