-- Read a window of a user's assets in create order, the last ones first: the order is read on, and rows of other sets of tags left out.
SELECT asset.* FROM (
    SELECT (user_id::bigint << 40) + place AS pk, place FROM asset
    WHERE user_id = :user_id AND place < :place::bigint
        AND (:any_set::boolean
            OR tag_set = ANY (ARRAY(SELECT value::integer FROM json_array_elements_text(:sets) AS sets (value))))
    ORDER BY place DESC LIMIT :limit OFFSET :offset
) AS page JOIN asset ON asset.pk = page.pk ORDER BY asset.place DESC;
