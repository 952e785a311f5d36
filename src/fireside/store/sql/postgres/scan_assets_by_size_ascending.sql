-- Read a window of a user's assets by size, the first ones first: the order is read on, and rows of other sets of tags left out.
SELECT asset.* FROM (
    SELECT (user_id::bigint << 40) + place AS pk, size_bytes, place FROM asset
    WHERE user_id = :user_id AND (size_bytes, place) >= (:number::bigint, :place::bigint)
        AND (:any_set::boolean
            OR tag_set = ANY (ARRAY(SELECT value::integer FROM json_array_elements_text(:sets) AS sets (value))))
    ORDER BY size_bytes, place LIMIT :limit OFFSET :offset
) AS page JOIN asset ON asset.pk = page.pk ORDER BY asset.size_bytes, asset.place;
