-- Read a window of the assets that all conditions hold for by size, the last ones first, by looking at the order's rows.
SELECT asset.* FROM (
    SELECT pk, size_bytes, place FROM asset
    WHERE (size_bytes, place) < (:number::bigint, :place::bigint) AND
        -- include: asset_conditions
    ORDER BY size_bytes DESC, place DESC LIMIT :limit OFFSET :offset
) AS page JOIN asset ON asset.pk = page.pk ORDER BY asset.size_bytes DESC, asset.place DESC;
