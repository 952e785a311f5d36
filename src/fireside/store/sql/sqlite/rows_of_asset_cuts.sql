-- Count the assets in the blocks of a library in one of its orders between two cuts, by sets of tags.
SELECT tag_set, sum(n) AS n FROM asset_cut JOIN asset_block ON cut_id = asset_cut.id
WHERE user_id = :user_id AND axis = :axis AND (number, word, place) >= (:number, :word, :place)
    AND (:is_last OR (number, word, place) < (:end_number, :end_word, :end_place))
GROUP BY tag_set;
