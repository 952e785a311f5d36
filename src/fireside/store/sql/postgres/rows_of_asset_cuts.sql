-- Count the assets in the blocks of a library in one of its orders between two cuts, by sets of tags.
SELECT tag_set, sum(n)::bigint AS n FROM asset_cut JOIN asset_block ON cut_id = asset_cut.id
WHERE user_id = :user_id AND axis = :axis::integer AND (number, word, place) >= (:number::bigint, :word::text, :place::bigint)
    AND (:is_last::boolean OR (number, word, place) < (:end_number::bigint, :end_word::text, :end_place::bigint))
GROUP BY tag_set;
