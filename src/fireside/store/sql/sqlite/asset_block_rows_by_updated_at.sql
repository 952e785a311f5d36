-- Read the first rows of a block of a library in this order, with where they stand.
SELECT tag_set, updated_at AS number, '' AS word, place FROM asset INDEXED BY asset_updated
WHERE user_id = :user_id
    AND tag_set IN (SELECT tag_set FROM asset_total WHERE asset_total.user_id = :user_id AND n > 0)
    AND (updated_at, place) >= (:number, :place)
    AND (:is_last OR (updated_at, place) < (:end_number, :end_place))
ORDER BY updated_at, place LIMIT :limit;
