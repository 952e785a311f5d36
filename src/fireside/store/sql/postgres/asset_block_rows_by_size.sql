-- Read the first rows of a block of a library in this order, with where they stand.
SELECT tag_set, size_bytes AS number, ''::text AS word, place FROM asset
WHERE user_id = :user_id
    AND (size_bytes, place) >= (:number::bigint, :place::bigint)
    AND (:is_last::boolean OR (size_bytes, place) < (:end_number::bigint, :end_place::bigint))
ORDER BY size_bytes, place LIMIT :limit;
