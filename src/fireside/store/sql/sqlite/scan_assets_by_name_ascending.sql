-- Read a window of a user's assets by name, the first ones first: the order is read on, and rows of other sets of tags left out.
SELECT asset.* FROM (
    SELECT pk, folded, place FROM asset INDEXED BY asset_all_named
    WHERE user_id = :user_id AND (folded, place) >= (:word, :place)
        AND (:any_set OR tag_set IN (SELECT value FROM json_each(:sets)))
    ORDER BY folded, place LIMIT :limit OFFSET :offset
) AS page CROSS JOIN asset ON asset.pk = page.pk ORDER BY asset.folded, asset.place;
