-- Read a window of the assets whose titles have a form with a text in it, of those between two places by access, the
-- last ones first.
SELECT asset.* FROM (
    SELECT pk, accessed_at, place FROM (
        -- include: asset_formed
    ) AS formed CROSS JOIN asset INDEXED BY asset_formed_accessed
        ON asset.user_id = :user_id AND asset.tag_set = tagged
        AND (accessed_at, place) >= (:low_number, :low_place) AND (accessed_at, place) < (:high_number, :high_place) AND +one =
        -- include: asset_form
    ORDER BY accessed_at DESC, place DESC LIMIT :limit OFFSET :offset
) AS page CROSS JOIN asset ON asset.pk = page.pk ORDER BY asset.accessed_at DESC, asset.place DESC;
