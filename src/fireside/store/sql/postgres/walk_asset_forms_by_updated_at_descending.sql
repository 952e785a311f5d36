-- Read a window of the assets whose titles have a form with a text in it, of those between two places by update, the
-- last ones first.
SELECT asset.* FROM (
    SELECT pk, updated_at, place FROM (
        -- include: asset_formed
    ) AS formed CROSS JOIN LATERAL (
        SELECT pk, updated_at, place FROM asset
        WHERE user_id = :user_id AND tag_set = tagged
            AND (updated_at, place) >= (:low_number::bigint, :low_place::bigint)
            AND (updated_at, place) < (:high_number::bigint, :high_place::bigint) AND one =
            -- include: asset_form
        OFFSET 0
    ) AS titled
    ORDER BY updated_at DESC, place DESC LIMIT :limit OFFSET :offset
) AS page JOIN asset ON asset.pk = page.pk ORDER BY asset.updated_at DESC, asset.place DESC;
