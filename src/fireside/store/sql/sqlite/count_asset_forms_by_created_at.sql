-- Count the assets whose titles have a form with a text in it that stand between two places in create order, up to a limit.
SELECT count(*) AS n FROM (
    SELECT pk, place FROM (
        -- include: asset_formed
    ) AS formed CROSS JOIN asset INDEXED BY asset_formed_created
        ON asset.user_id = :user_id AND asset.tag_set = tagged
        AND place >= :low_place AND place < :high_place AND +one =
        -- include: asset_form
    LIMIT :limit
) AS few;
