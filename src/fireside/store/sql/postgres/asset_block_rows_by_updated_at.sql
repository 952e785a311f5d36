-- Read the first rows of a block of a library in this order, with where they stand.
SELECT tag_set, updated_at AS number, ''::text AS word, place FROM asset
WHERE user_id = :user_id
    AND (updated_at, place) >= (:number::bigint, :place::bigint)
    AND (:is_last::boolean OR (updated_at, place) < (:end_number::bigint, :end_place::bigint))
ORDER BY updated_at, place LIMIT :limit;
