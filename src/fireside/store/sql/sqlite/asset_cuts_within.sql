-- Read where the blocks of a library begin in one of its orders between two cuts, and how many assets of some sets of tags
-- each holds.
SELECT number, word, place, coalesce(sum(n), 0) AS n
FROM asset_cut LEFT JOIN asset_block ON cut_id = asset_cut.id
    AND (:any_set OR tag_set IN (SELECT value FROM json_each(:sets)))
WHERE user_id = :user_id AND axis = :axis AND (number, word, place) >= (:number, :word, :place)
    AND (:is_last OR (number, word, place) < (:end_number, :end_word, :end_place))
GROUP BY asset_cut.id, number, word, place ORDER BY number, word, place;
