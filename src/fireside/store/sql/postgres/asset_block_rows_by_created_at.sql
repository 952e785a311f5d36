-- Read the first rows of a block of a library in this order, with where they stand.
SELECT tag_set, 0::bigint AS number, ''::text AS word, place FROM asset
WHERE user_id = :user_id
    AND place >= :place::bigint
    AND (:is_last::boolean OR place < :end_place::bigint)
ORDER BY place LIMIT :limit;
