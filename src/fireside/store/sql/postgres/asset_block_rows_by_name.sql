-- Read the first rows of a block of a library in this order, with where they stand.
SELECT tag_set, 0::bigint AS number, folded AS word, place FROM asset
WHERE user_id = :user_id
    AND (folded, place) >= (:word::text, :place::bigint)
    AND (:is_last::boolean OR (folded, place) < (:end_word::text, :end_place::bigint))
ORDER BY folded, place LIMIT :limit;
