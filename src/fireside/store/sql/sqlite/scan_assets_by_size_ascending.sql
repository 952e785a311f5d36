-- Read a window of a user's assets by size, the first ones first: the order is read on, and rows of other sets of tags left out.
SELECT asset.* FROM (
    SELECT pk, size_bytes, place FROM asset INDEXED BY asset_all_sized
    WHERE user_id = :user_id AND (size_bytes, place) >= (:number, :place)
        AND (:any_set OR tag_set IN (SELECT value FROM json_each(:sets)))
    ORDER BY size_bytes, place LIMIT :limit OFFSET :offset
) AS page CROSS JOIN asset ON asset.pk = page.pk ORDER BY asset.size_bytes, asset.place;
