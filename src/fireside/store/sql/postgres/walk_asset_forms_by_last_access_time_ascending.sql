-- Read a window of the assets whose titles have a form with a text in it, of those between two places by access, the
-- first ones first.
SELECT asset.* FROM (
    SELECT pk, accessed_at, place FROM (
        -- include: asset_formed
    ) AS formed CROSS JOIN LATERAL (
        SELECT pk, accessed_at, place FROM asset
        WHERE user_id = :user_id AND tag_set = tagged
            AND (accessed_at, place) >= (:low_number::bigint, :low_place::bigint)
            AND (accessed_at, place) < (:high_number::bigint, :high_place::bigint) AND one =
            -- include: asset_form
        OFFSET 0
    ) AS titled
    ORDER BY accessed_at, place LIMIT :limit OFFSET :offset
) AS page JOIN asset ON asset.pk = page.pk ORDER BY asset.accessed_at, asset.place;
