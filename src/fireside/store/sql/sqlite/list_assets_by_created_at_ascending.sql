-- Read a window of a user's assets, oldest first: the ranges of up to 16 sets of tags are merged, not sorted.
SELECT asset.* FROM (
    SELECT pk, place FROM asset INDEXED BY asset_created
    WHERE user_id = :user_id AND tag_set = :set_0 AND place >= :place
    UNION ALL
    SELECT pk, place FROM asset INDEXED BY asset_created
    WHERE user_id = :user_id AND tag_set = :set_1 AND place >= :place
    UNION ALL
    SELECT pk, place FROM asset INDEXED BY asset_created
    WHERE user_id = :user_id AND tag_set = :set_2 AND place >= :place
    UNION ALL
    SELECT pk, place FROM asset INDEXED BY asset_created
    WHERE user_id = :user_id AND tag_set = :set_3 AND place >= :place
    UNION ALL
    SELECT pk, place FROM asset INDEXED BY asset_created
    WHERE user_id = :user_id AND tag_set = :set_4 AND place >= :place
    UNION ALL
    SELECT pk, place FROM asset INDEXED BY asset_created
    WHERE user_id = :user_id AND tag_set = :set_5 AND place >= :place
    UNION ALL
    SELECT pk, place FROM asset INDEXED BY asset_created
    WHERE user_id = :user_id AND tag_set = :set_6 AND place >= :place
    UNION ALL
    SELECT pk, place FROM asset INDEXED BY asset_created
    WHERE user_id = :user_id AND tag_set = :set_7 AND place >= :place
    UNION ALL
    SELECT pk, place FROM asset INDEXED BY asset_created
    WHERE user_id = :user_id AND tag_set = :set_8 AND place >= :place
    UNION ALL
    SELECT pk, place FROM asset INDEXED BY asset_created
    WHERE user_id = :user_id AND tag_set = :set_9 AND place >= :place
    UNION ALL
    SELECT pk, place FROM asset INDEXED BY asset_created
    WHERE user_id = :user_id AND tag_set = :set_10 AND place >= :place
    UNION ALL
    SELECT pk, place FROM asset INDEXED BY asset_created
    WHERE user_id = :user_id AND tag_set = :set_11 AND place >= :place
    UNION ALL
    SELECT pk, place FROM asset INDEXED BY asset_created
    WHERE user_id = :user_id AND tag_set = :set_12 AND place >= :place
    UNION ALL
    SELECT pk, place FROM asset INDEXED BY asset_created
    WHERE user_id = :user_id AND tag_set = :set_13 AND place >= :place
    UNION ALL
    SELECT pk, place FROM asset INDEXED BY asset_created
    WHERE user_id = :user_id AND tag_set = :set_14 AND place >= :place
    UNION ALL
    SELECT pk, place FROM asset INDEXED BY asset_created
    WHERE user_id = :user_id AND tag_set = :set_15 AND place >= :place
    ORDER BY place LIMIT :limit OFFSET :offset
) AS page CROSS JOIN asset ON asset.pk = page.pk ORDER BY asset.place;
