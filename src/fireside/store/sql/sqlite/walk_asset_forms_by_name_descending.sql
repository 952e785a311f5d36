-- Read a window of the assets whose titles have a form with a text in it, of those between two places by name, the
-- last ones first.
SELECT asset.* FROM (
    SELECT pk, folded, place FROM (
        -- include: asset_formed
    ) AS formed CROSS JOIN asset INDEXED BY asset_formed_named
        ON asset.user_id = :user_id AND asset.tag_set = tagged
        AND (folded, place) >= (:low_word, :low_place) AND (folded, place) < (:high_word, :high_place) AND +one =
        -- include: asset_form
    ORDER BY folded DESC, place DESC LIMIT :limit OFFSET :offset
) AS page CROSS JOIN asset ON asset.pk = page.pk ORDER BY asset.folded DESC, asset.place DESC;
