-- Read the first rows of a block of a library in this order, with where they stand.
SELECT tag_set, updated_at AS number, '' AS word, place FROM asset INDEXED BY asset_all_updated
WHERE user_id = :user_id
    AND (updated_at, place) >= (:number, :place)
    AND (:is_last OR (updated_at, place) < (:end_number, :end_place))
ORDER BY updated_at, place LIMIT :limit;
