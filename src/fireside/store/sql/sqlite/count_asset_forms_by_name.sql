-- Count the assets whose titles have a form with a text in it that stand between two places by name, up to a limit.
SELECT count(*) AS n FROM (
    SELECT pk, folded, place FROM (
        -- include: asset_formed
    ) AS formed CROSS JOIN asset INDEXED BY asset_formed_named
        ON asset.user_id = :user_id AND asset.tag_set = tagged
        AND (folded, place) >= (:low_word, :low_place) AND (folded, place) < (:high_word, :high_place) AND +one =
        -- include: asset_form
    LIMIT :limit
) AS few;
