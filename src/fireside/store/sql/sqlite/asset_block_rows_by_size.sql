-- Read the first rows of a block of a library in this order, with where they stand.
SELECT tag_set, size_bytes AS number, '' AS word, place FROM asset INDEXED BY asset_all_sized
WHERE user_id = :user_id
    AND (size_bytes, place) >= (:number, :place)
    AND (:is_last OR (size_bytes, place) < (:end_number, :end_place))
ORDER BY size_bytes, place LIMIT :limit;
