-- Read a window of the assets whose titles have a form with a text in it, of those between two places by name, the
-- last ones first.
SELECT asset.* FROM (
    SELECT pk, folded, place FROM (
        -- include: asset_formed
    ) AS formed CROSS JOIN LATERAL (
        SELECT pk, folded, place FROM asset
        WHERE user_id = :user_id AND tag_set = tagged
            AND (folded, place) >= (:low_word::text, :low_place::bigint)
            AND (folded, place) < (:high_word::text, :high_place::bigint) AND one =
            -- include: asset_form
        OFFSET 0
    ) AS titled
    ORDER BY folded DESC, place DESC LIMIT :limit OFFSET :offset
) AS page JOIN asset ON asset.pk = page.pk ORDER BY asset.folded DESC, asset.place DESC;
