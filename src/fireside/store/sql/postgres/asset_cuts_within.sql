-- Read where the blocks of a library begin in one of its orders between two cuts, and how many assets of some sets of tags
-- each holds.
SELECT number, word, place, coalesce(sum(n), 0)::bigint AS n
FROM asset_cut LEFT JOIN asset_block ON cut_id = asset_cut.id
    AND (:any_set::boolean OR tag_set = ANY (ARRAY(SELECT value::integer FROM json_array_elements_text(:sets) AS sets (value))))
WHERE user_id = :user_id AND axis = :axis::integer AND (number, word, place) >= (:number::bigint, :word::text, :place::bigint)
    AND (:is_last::boolean OR (number, word, place) < (:end_number::bigint, :end_word::text, :end_place::bigint))
GROUP BY asset_cut.id, number, word, place ORDER BY number, word, place;
