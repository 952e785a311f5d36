-- Read the first rows of a block of a library in this order, with where they stand.
SELECT tag_set, 0 AS number, folded AS word, place FROM asset INDEXED BY asset_all_named
WHERE user_id = :user_id
    AND (folded, place) >= (:word, :place)
    AND (:is_last OR (folded, place) < (:end_word, :end_place))
ORDER BY folded, place LIMIT :limit;
