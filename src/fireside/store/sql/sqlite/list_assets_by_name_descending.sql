-- Read a window of a user's assets, by name, backwards: the ranges of up to 16 sets of tags are merged, not sorted.
SELECT asset.* FROM (
    SELECT pk, folded, place FROM asset INDEXED BY asset_named
    WHERE user_id = :user_id AND tag_set = :set_0 AND (folded, place) < (:word, :place)
    UNION ALL
    SELECT pk, folded, place FROM asset INDEXED BY asset_named
    WHERE user_id = :user_id AND tag_set = :set_1 AND (folded, place) < (:word, :place)
    UNION ALL
    SELECT pk, folded, place FROM asset INDEXED BY asset_named
    WHERE user_id = :user_id AND tag_set = :set_2 AND (folded, place) < (:word, :place)
    UNION ALL
    SELECT pk, folded, place FROM asset INDEXED BY asset_named
    WHERE user_id = :user_id AND tag_set = :set_3 AND (folded, place) < (:word, :place)
    UNION ALL
    SELECT pk, folded, place FROM asset INDEXED BY asset_named
    WHERE user_id = :user_id AND tag_set = :set_4 AND (folded, place) < (:word, :place)
    UNION ALL
    SELECT pk, folded, place FROM asset INDEXED BY asset_named
    WHERE user_id = :user_id AND tag_set = :set_5 AND (folded, place) < (:word, :place)
    UNION ALL
    SELECT pk, folded, place FROM asset INDEXED BY asset_named
    WHERE user_id = :user_id AND tag_set = :set_6 AND (folded, place) < (:word, :place)
    UNION ALL
    SELECT pk, folded, place FROM asset INDEXED BY asset_named
    WHERE user_id = :user_id AND tag_set = :set_7 AND (folded, place) < (:word, :place)
    UNION ALL
    SELECT pk, folded, place FROM asset INDEXED BY asset_named
    WHERE user_id = :user_id AND tag_set = :set_8 AND (folded, place) < (:word, :place)
    UNION ALL
    SELECT pk, folded, place FROM asset INDEXED BY asset_named
    WHERE user_id = :user_id AND tag_set = :set_9 AND (folded, place) < (:word, :place)
    UNION ALL
    SELECT pk, folded, place FROM asset INDEXED BY asset_named
    WHERE user_id = :user_id AND tag_set = :set_10 AND (folded, place) < (:word, :place)
    UNION ALL
    SELECT pk, folded, place FROM asset INDEXED BY asset_named
    WHERE user_id = :user_id AND tag_set = :set_11 AND (folded, place) < (:word, :place)
    UNION ALL
    SELECT pk, folded, place FROM asset INDEXED BY asset_named
    WHERE user_id = :user_id AND tag_set = :set_12 AND (folded, place) < (:word, :place)
    UNION ALL
    SELECT pk, folded, place FROM asset INDEXED BY asset_named
    WHERE user_id = :user_id AND tag_set = :set_13 AND (folded, place) < (:word, :place)
    UNION ALL
    SELECT pk, folded, place FROM asset INDEXED BY asset_named
    WHERE user_id = :user_id AND tag_set = :set_14 AND (folded, place) < (:word, :place)
    UNION ALL
    SELECT pk, folded, place FROM asset INDEXED BY asset_named
    WHERE user_id = :user_id AND tag_set = :set_15 AND (folded, place) < (:word, :place)
    ORDER BY folded DESC, place DESC LIMIT :limit OFFSET :offset
) AS page CROSS JOIN asset ON asset.pk = page.pk ORDER BY asset.folded DESC, asset.place DESC;
