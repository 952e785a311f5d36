-- Read a window of a user's assets, longest unchanged first: the ranges of up to 16 sets of tags are merged, not sorted.
SELECT asset.* FROM (
    SELECT pk, updated_at, place FROM asset INDEXED BY asset_updated
    WHERE user_id = :user_id AND tag_set = :set_0 AND (updated_at, place) >= (:number, :place)
    UNION ALL
    SELECT pk, updated_at, place FROM asset INDEXED BY asset_updated
    WHERE user_id = :user_id AND tag_set = :set_1 AND (updated_at, place) >= (:number, :place)
    UNION ALL
    SELECT pk, updated_at, place FROM asset INDEXED BY asset_updated
    WHERE user_id = :user_id AND tag_set = :set_2 AND (updated_at, place) >= (:number, :place)
    UNION ALL
    SELECT pk, updated_at, place FROM asset INDEXED BY asset_updated
    WHERE user_id = :user_id AND tag_set = :set_3 AND (updated_at, place) >= (:number, :place)
    UNION ALL
    SELECT pk, updated_at, place FROM asset INDEXED BY asset_updated
    WHERE user_id = :user_id AND tag_set = :set_4 AND (updated_at, place) >= (:number, :place)
    UNION ALL
    SELECT pk, updated_at, place FROM asset INDEXED BY asset_updated
    WHERE user_id = :user_id AND tag_set = :set_5 AND (updated_at, place) >= (:number, :place)
    UNION ALL
    SELECT pk, updated_at, place FROM asset INDEXED BY asset_updated
    WHERE user_id = :user_id AND tag_set = :set_6 AND (updated_at, place) >= (:number, :place)
    UNION ALL
    SELECT pk, updated_at, place FROM asset INDEXED BY asset_updated
    WHERE user_id = :user_id AND tag_set = :set_7 AND (updated_at, place) >= (:number, :place)
    UNION ALL
    SELECT pk, updated_at, place FROM asset INDEXED BY asset_updated
    WHERE user_id = :user_id AND tag_set = :set_8 AND (updated_at, place) >= (:number, :place)
    UNION ALL
    SELECT pk, updated_at, place FROM asset INDEXED BY asset_updated
    WHERE user_id = :user_id AND tag_set = :set_9 AND (updated_at, place) >= (:number, :place)
    UNION ALL
    SELECT pk, updated_at, place FROM asset INDEXED BY asset_updated
    WHERE user_id = :user_id AND tag_set = :set_10 AND (updated_at, place) >= (:number, :place)
    UNION ALL
    SELECT pk, updated_at, place FROM asset INDEXED BY asset_updated
    WHERE user_id = :user_id AND tag_set = :set_11 AND (updated_at, place) >= (:number, :place)
    UNION ALL
    SELECT pk, updated_at, place FROM asset INDEXED BY asset_updated
    WHERE user_id = :user_id AND tag_set = :set_12 AND (updated_at, place) >= (:number, :place)
    UNION ALL
    SELECT pk, updated_at, place FROM asset INDEXED BY asset_updated
    WHERE user_id = :user_id AND tag_set = :set_13 AND (updated_at, place) >= (:number, :place)
    UNION ALL
    SELECT pk, updated_at, place FROM asset INDEXED BY asset_updated
    WHERE user_id = :user_id AND tag_set = :set_14 AND (updated_at, place) >= (:number, :place)
    UNION ALL
    SELECT pk, updated_at, place FROM asset INDEXED BY asset_updated
    WHERE user_id = :user_id AND tag_set = :set_15 AND (updated_at, place) >= (:number, :place)
    ORDER BY updated_at, place LIMIT :limit OFFSET :offset
) AS page CROSS JOIN asset ON asset.pk = page.pk ORDER BY asset.updated_at, asset.place;
