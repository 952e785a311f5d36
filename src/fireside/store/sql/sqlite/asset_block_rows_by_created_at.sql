-- Read the first rows of a block of a library in this order, with where they stand.
SELECT tag_set, 0 AS number, '' AS word, place FROM asset INDEXED BY asset_all_created
WHERE user_id = :user_id
    AND place >= :place
    AND (:is_last OR place < :end_place)
ORDER BY place LIMIT :limit;
