-- Read a window of the assets whose titles have a form with a text in it, of those between two places by size, the
-- last ones first.
SELECT asset.* FROM (
    SELECT pk, size_bytes, place FROM (
        -- include: asset_formed
    ) AS formed CROSS JOIN asset INDEXED BY asset_formed_sized
        ON asset.user_id = :user_id AND asset.tag_set = tagged
        AND (size_bytes, place) >= (:low_number, :low_place) AND (size_bytes, place) < (:high_number, :high_place) AND +one =
        -- include: asset_form
    ORDER BY size_bytes DESC, place DESC LIMIT :limit OFFSET :offset
) AS page CROSS JOIN asset ON asset.pk = page.pk ORDER BY asset.size_bytes DESC, asset.place DESC;
