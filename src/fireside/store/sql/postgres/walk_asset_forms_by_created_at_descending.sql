-- Read a window of the assets whose titles have a form with a text in it, of those between two places in create order, the
-- last ones first.
SELECT asset.* FROM (
    SELECT pk, place FROM (
        -- include: asset_formed
    ) AS formed CROSS JOIN LATERAL (
        SELECT pk, place FROM asset
        WHERE user_id = :user_id AND tag_set = tagged
            AND place >= :low_place::bigint
            AND place < :high_place::bigint AND one =
            -- include: asset_form
        OFFSET 0
    ) AS titled
    ORDER BY place DESC LIMIT :limit OFFSET :offset
) AS page JOIN asset ON asset.pk = page.pk ORDER BY asset.place DESC;
