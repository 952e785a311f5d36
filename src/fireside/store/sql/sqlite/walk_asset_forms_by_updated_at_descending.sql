-- Read a window of the assets whose titles have a form with a text in it, of those between two places by update, the
-- last ones first.
SELECT asset.* FROM (
    SELECT pk, updated_at, place FROM (
        -- include: asset_formed
    ) AS formed CROSS JOIN asset INDEXED BY asset_formed_updated
        ON asset.user_id = :user_id AND asset.tag_set = tagged
        AND (updated_at, place) >= (:low_number, :low_place) AND (updated_at, place) < (:high_number, :high_place) AND +one =
        -- include: asset_form
    ORDER BY updated_at DESC, place DESC LIMIT :limit OFFSET :offset
) AS page CROSS JOIN asset ON asset.pk = page.pk ORDER BY asset.updated_at DESC, asset.place DESC;
