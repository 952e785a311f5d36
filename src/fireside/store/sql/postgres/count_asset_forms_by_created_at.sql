-- Count the assets whose titles have a form with a text in it that stand between two places in create order, up to a limit.
SELECT count(*) AS n FROM (
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
    LIMIT :limit
) AS few;
