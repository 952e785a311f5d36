-- Read a window of a user's assets, by name, backwards.
-- The ranges of up to 16 sets of tags are merged; each says its order, or the planner would sort them all.
SELECT asset.* FROM (
    SELECT pk, folded, place FROM (
        (SELECT pk, folded, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_0 AND (folded, place) < (:word::text, :place::bigint)
         ORDER BY folded DESC, place DESC)
        UNION ALL
        (SELECT pk, folded, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_1 AND (folded, place) < (:word::text, :place::bigint)
         ORDER BY folded DESC, place DESC)
        UNION ALL
        (SELECT pk, folded, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_2 AND (folded, place) < (:word::text, :place::bigint)
         ORDER BY folded DESC, place DESC)
        UNION ALL
        (SELECT pk, folded, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_3 AND (folded, place) < (:word::text, :place::bigint)
         ORDER BY folded DESC, place DESC)
        UNION ALL
        (SELECT pk, folded, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_4 AND (folded, place) < (:word::text, :place::bigint)
         ORDER BY folded DESC, place DESC)
        UNION ALL
        (SELECT pk, folded, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_5 AND (folded, place) < (:word::text, :place::bigint)
         ORDER BY folded DESC, place DESC)
        UNION ALL
        (SELECT pk, folded, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_6 AND (folded, place) < (:word::text, :place::bigint)
         ORDER BY folded DESC, place DESC)
        UNION ALL
        (SELECT pk, folded, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_7 AND (folded, place) < (:word::text, :place::bigint)
         ORDER BY folded DESC, place DESC)
        UNION ALL
        (SELECT pk, folded, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_8 AND (folded, place) < (:word::text, :place::bigint)
         ORDER BY folded DESC, place DESC)
        UNION ALL
        (SELECT pk, folded, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_9 AND (folded, place) < (:word::text, :place::bigint)
         ORDER BY folded DESC, place DESC)
        UNION ALL
        (SELECT pk, folded, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_10 AND (folded, place) < (:word::text, :place::bigint)
         ORDER BY folded DESC, place DESC)
        UNION ALL
        (SELECT pk, folded, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_11 AND (folded, place) < (:word::text, :place::bigint)
         ORDER BY folded DESC, place DESC)
        UNION ALL
        (SELECT pk, folded, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_12 AND (folded, place) < (:word::text, :place::bigint)
         ORDER BY folded DESC, place DESC)
        UNION ALL
        (SELECT pk, folded, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_13 AND (folded, place) < (:word::text, :place::bigint)
         ORDER BY folded DESC, place DESC)
        UNION ALL
        (SELECT pk, folded, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_14 AND (folded, place) < (:word::text, :place::bigint)
         ORDER BY folded DESC, place DESC)
        UNION ALL
        (SELECT pk, folded, place FROM asset
         WHERE user_id = :user_id AND tag_set = :set_15 AND (folded, place) < (:word::text, :place::bigint)
         ORDER BY folded DESC, place DESC)
    ) AS keys ORDER BY folded DESC, place DESC LIMIT :limit OFFSET :offset
) AS page JOIN asset ON asset.pk = page.pk ORDER BY asset.folded DESC, asset.place DESC;
