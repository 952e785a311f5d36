-- Read a window of the assets whose titles have a form with a text in it, of those between two places by size, the
-- last ones first.
SELECT asset.* FROM (
    SELECT pk, size_bytes, place FROM (
        -- include: asset_formed
    ) AS formed CROSS JOIN LATERAL (
        SELECT pk, size_bytes, place FROM asset
        WHERE user_id = :user_id AND tag_set = tagged
            AND (size_bytes, place) >= (:low_number::bigint, :low_place::bigint)
            AND (size_bytes, place) < (:high_number::bigint, :high_place::bigint) AND one =
            -- include: asset_form
        OFFSET 0
    ) AS titled
    ORDER BY size_bytes DESC, place DESC LIMIT :limit OFFSET :offset
) AS page JOIN asset ON asset.pk = page.pk ORDER BY asset.size_bytes DESC, asset.place DESC;
