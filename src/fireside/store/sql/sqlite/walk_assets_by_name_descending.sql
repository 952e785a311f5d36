-- Read a window of the assets that all conditions hold for by name, the last ones first, by looking at the order's rows.
SELECT asset.* FROM (
    SELECT pk, folded, place FROM asset INDEXED BY asset_all_named
    WHERE (folded, place) < (:word, :place) AND
        -- include: asset_conditions
    ORDER BY folded DESC, place DESC LIMIT :limit OFFSET :offset
) AS page CROSS JOIN asset ON asset.pk = page.pk ORDER BY asset.folded DESC, asset.place DESC;
