-- Read a window of the assets that all conditions hold for by when they were read, the last ones first, by looking at the order's rows.
SELECT asset.* FROM (
    SELECT pk, accessed_at, place FROM asset
    WHERE (accessed_at, place) < (:number::bigint, :place::bigint) AND
        -- include: asset_conditions
    ORDER BY accessed_at DESC, place DESC LIMIT :limit OFFSET :offset
) AS page JOIN asset ON asset.pk = page.pk ORDER BY asset.accessed_at DESC, asset.place DESC;
