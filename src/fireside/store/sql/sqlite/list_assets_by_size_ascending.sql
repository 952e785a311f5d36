-- Read a window of a user's assets, smallest first: the ranges of up to 16 sets of tags are merged, not sorted.
SELECT asset.* FROM (
    SELECT pk, size_bytes, place FROM asset INDEXED BY asset_sized
    WHERE user_id = :user_id AND tag_set = :set_0 AND (size_bytes, place) >= (:number, :place)
    UNION ALL
    SELECT pk, size_bytes, place FROM asset INDEXED BY asset_sized
    WHERE user_id = :user_id AND tag_set = :set_1 AND (size_bytes, place) >= (:number, :place)
    UNION ALL
    SELECT pk, size_bytes, place FROM asset INDEXED BY asset_sized
    WHERE user_id = :user_id AND tag_set = :set_2 AND (size_bytes, place) >= (:number, :place)
    UNION ALL
    SELECT pk, size_bytes, place FROM asset INDEXED BY asset_sized
    WHERE user_id = :user_id AND tag_set = :set_3 AND (size_bytes, place) >= (:number, :place)
    UNION ALL
    SELECT pk, size_bytes, place FROM asset INDEXED BY asset_sized
    WHERE user_id = :user_id AND tag_set = :set_4 AND (size_bytes, place) >= (:number, :place)
    UNION ALL
    SELECT pk, size_bytes, place FROM asset INDEXED BY asset_sized
    WHERE user_id = :user_id AND tag_set = :set_5 AND (size_bytes, place) >= (:number, :place)
    UNION ALL
    SELECT pk, size_bytes, place FROM asset INDEXED BY asset_sized
    WHERE user_id = :user_id AND tag_set = :set_6 AND (size_bytes, place) >= (:number, :place)
    UNION ALL
    SELECT pk, size_bytes, place FROM asset INDEXED BY asset_sized
    WHERE user_id = :user_id AND tag_set = :set_7 AND (size_bytes, place) >= (:number, :place)
    UNION ALL
    SELECT pk, size_bytes, place FROM asset INDEXED BY asset_sized
    WHERE user_id = :user_id AND tag_set = :set_8 AND (size_bytes, place) >= (:number, :place)
    UNION ALL
    SELECT pk, size_bytes, place FROM asset INDEXED BY asset_sized
    WHERE user_id = :user_id AND tag_set = :set_9 AND (size_bytes, place) >= (:number, :place)
    UNION ALL
    SELECT pk, size_bytes, place FROM asset INDEXED BY asset_sized
    WHERE user_id = :user_id AND tag_set = :set_10 AND (size_bytes, place) >= (:number, :place)
    UNION ALL
    SELECT pk, size_bytes, place FROM asset INDEXED BY asset_sized
    WHERE user_id = :user_id AND tag_set = :set_11 AND (size_bytes, place) >= (:number, :place)
    UNION ALL
    SELECT pk, size_bytes, place FROM asset INDEXED BY asset_sized
    WHERE user_id = :user_id AND tag_set = :set_12 AND (size_bytes, place) >= (:number, :place)
    UNION ALL
    SELECT pk, size_bytes, place FROM asset INDEXED BY asset_sized
    WHERE user_id = :user_id AND tag_set = :set_13 AND (size_bytes, place) >= (:number, :place)
    UNION ALL
    SELECT pk, size_bytes, place FROM asset INDEXED BY asset_sized
    WHERE user_id = :user_id AND tag_set = :set_14 AND (size_bytes, place) >= (:number, :place)
    UNION ALL
    SELECT pk, size_bytes, place FROM asset INDEXED BY asset_sized
    WHERE user_id = :user_id AND tag_set = :set_15 AND (size_bytes, place) >= (:number, :place)
    ORDER BY size_bytes, place LIMIT :limit OFFSET :offset
) AS page CROSS JOIN asset ON asset.pk = page.pk ORDER BY asset.size_bytes, asset.place;
