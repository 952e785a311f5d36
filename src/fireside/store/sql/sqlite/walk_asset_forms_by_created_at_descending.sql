-- Read a window of the assets whose titles have a form with a text in it, of those between two places in create order, the
-- last ones first.
SELECT asset.* FROM (
    SELECT pk, place FROM (
        -- include: asset_formed
    ) AS formed CROSS JOIN asset INDEXED BY asset_formed_created
        ON asset.user_id = :user_id AND asset.tag_set = tagged
        AND place >= :low_place AND place < :high_place AND +one =
        -- include: asset_form
    ORDER BY place DESC LIMIT :limit OFFSET :offset
) AS page CROSS JOIN asset ON asset.pk = page.pk ORDER BY asset.place DESC;
