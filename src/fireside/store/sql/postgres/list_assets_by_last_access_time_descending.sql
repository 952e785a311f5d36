-- Read a window of a user's assets, last read first.
-- The ranges of up to 16 sets of tags are merged; each says its order, or the planner would sort them all.
SELECT asset.* FROM (
    SELECT pk, accessed_at, place FROM (
        (SELECT pk, accessed_at, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_0 AND (accessed_at, place) < (:number::bigint, :place::bigint)
         ORDER BY accessed_at DESC, place DESC)
        UNION ALL
        (SELECT pk, accessed_at, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_1 AND (accessed_at, place) < (:number::bigint, :place::bigint)
         ORDER BY accessed_at DESC, place DESC)
        UNION ALL
        (SELECT pk, accessed_at, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_2 AND (accessed_at, place) < (:number::bigint, :place::bigint)
         ORDER BY accessed_at DESC, place DESC)
        UNION ALL
        (SELECT pk, accessed_at, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_3 AND (accessed_at, place) < (:number::bigint, :place::bigint)
         ORDER BY accessed_at DESC, place DESC)
        UNION ALL
        (SELECT pk, accessed_at, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_4 AND (accessed_at, place) < (:number::bigint, :place::bigint)
         ORDER BY accessed_at DESC, place DESC)
        UNION ALL
        (SELECT pk, accessed_at, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_5 AND (accessed_at, place) < (:number::bigint, :place::bigint)
         ORDER BY accessed_at DESC, place DESC)
        UNION ALL
        (SELECT pk, accessed_at, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_6 AND (accessed_at, place) < (:number::bigint, :place::bigint)
         ORDER BY accessed_at DESC, place DESC)
        UNION ALL
        (SELECT pk, accessed_at, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_7 AND (accessed_at, place) < (:number::bigint, :place::bigint)
         ORDER BY accessed_at DESC, place DESC)
        UNION ALL
        (SELECT pk, accessed_at, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_8 AND (accessed_at, place) < (:number::bigint, :place::bigint)
         ORDER BY accessed_at DESC, place DESC)
        UNION ALL
        (SELECT pk, accessed_at, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_9 AND (accessed_at, place) < (:number::bigint, :place::bigint)
         ORDER BY accessed_at DESC, place DESC)
        UNION ALL
        (SELECT pk, accessed_at, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_10 AND (accessed_at, place) < (:number::bigint, :place::bigint)
         ORDER BY accessed_at DESC, place DESC)
        UNION ALL
        (SELECT pk, accessed_at, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_11 AND (accessed_at, place) < (:number::bigint, :place::bigint)
         ORDER BY accessed_at DESC, place DESC)
        UNION ALL
        (SELECT pk, accessed_at, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_12 AND (accessed_at, place) < (:number::bigint, :place::bigint)
         ORDER BY accessed_at DESC, place DESC)
        UNION ALL
        (SELECT pk, accessed_at, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_13 AND (accessed_at, place) < (:number::bigint, :place::bigint)
         ORDER BY accessed_at DESC, place DESC)
        UNION ALL
        (SELECT pk, accessed_at, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_14 AND (accessed_at, place) < (:number::bigint, :place::bigint)
         ORDER BY accessed_at DESC, place DESC)
        UNION ALL
        (SELECT pk, accessed_at, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_15 AND (accessed_at, place) < (:number::bigint, :place::bigint)
         ORDER BY accessed_at DESC, place DESC)
    ) AS keys ORDER BY accessed_at DESC, place DESC LIMIT :limit OFFSET :offset
) AS page JOIN asset ON asset.pk = page.pk ORDER BY asset.accessed_at DESC, asset.place DESC;
