-- Count the assets whose titles have a form with a text in it that stand between two places by name, up to a limit.
SELECT count(*) AS n FROM (
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
    LIMIT :limit
) AS few;
