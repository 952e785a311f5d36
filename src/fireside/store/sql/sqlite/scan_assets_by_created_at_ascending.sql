-- Read a window of a user's assets in create order, the first ones first: the order is read on, and rows of other sets of tags left out.
SELECT asset.* FROM (
    SELECT pk, place FROM asset INDEXED BY asset_all_created
    WHERE user_id = :user_id AND place >= :place
        AND (:any_set OR tag_set IN (SELECT value FROM json_each(:sets)))
    ORDER BY place LIMIT :limit OFFSET :offset
) AS page CROSS JOIN asset ON asset.pk = page.pk ORDER BY asset.place;
