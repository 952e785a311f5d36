-- Read the first rows of a block of a library in this order, with where they stand.
SELECT tag_set, accessed_at AS number, '' AS word, place FROM asset INDEXED BY asset_all_accessed
WHERE user_id = :user_id
    AND (accessed_at, place) >= (:number, :place)
    AND (:is_last OR (accessed_at, place) < (:end_number, :end_place))
ORDER BY accessed_at, place LIMIT :limit;
