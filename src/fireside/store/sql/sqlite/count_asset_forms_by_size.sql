-- Count the assets whose titles have a form with a text in it that stand between two places by size, up to a limit.
SELECT count(*) AS n FROM (
    SELECT pk, size_bytes, place FROM (
        -- include: asset_formed
    ) AS formed CROSS JOIN asset INDEXED BY asset_formed_sized
        ON asset.user_id = :user_id AND asset.tag_set = tagged
        AND (size_bytes, place) >= (:low_number, :low_place) AND (size_bytes, place) < (:high_number, :high_place) AND +one =
        -- include: asset_form
    LIMIT :limit
) AS few;
