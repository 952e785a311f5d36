-- Read a window of a user's assets by when they were read, the first ones first: the order is read on, and rows of other sets of tags left out.
SELECT asset.* FROM (
    SELECT pk, accessed_at, place FROM asset INDEXED BY asset_all_accessed
    WHERE user_id = :user_id AND (accessed_at, place) >= (:number, :place)
        AND (:any_set OR tag_set IN (SELECT value FROM json_each(:sets)))
    ORDER BY accessed_at, place LIMIT :limit OFFSET :offset
) AS page CROSS JOIN asset ON asset.pk = page.pk ORDER BY asset.accessed_at, asset.place;
