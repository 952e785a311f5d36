-- Read where assets that all conditions hold for stand, within ranges of places, given as a JSON list of [first, last]: as a
-- JSON list of place, set of tags, and number and word of another order.
SELECT json_group_array(json_array(place, tag_set,
    CASE :sort WHEN 'updated_at' THEN updated_at WHEN 'size' THEN size_bytes WHEN 'last_access_time' THEN accessed_at ELSE 0 END,
    CASE :sort WHEN 'name' THEN folded ELSE '' END
)) AS found
FROM (
    SELECT asset_pk AS pk
    FROM json_each(:ranges) AS part CROSS JOIN asset_fact INDEXED BY asset_fact_created
        ON whose = :user_id AND fact IN (SELECT value FROM json_each(:facts))
            AND asset_pk BETWEEN (:user_id << 40) + json_extract(part.value, '$[0]')
                AND (:user_id << 40) + json_extract(part.value, '$[1]')
    WHERE
        -- include: asset_fact_conditions
    UNION ALL
    SELECT pk FROM json_each(:ranges) AS part CROSS JOIN asset
        ON pk BETWEEN (:user_id << 40) + json_extract(part.value, '$[0]')
            AND (:user_id << 40) + json_extract(part.value, '$[1]')
    WHERE :facts = '[]' AND (:needle = '' OR instr(folded, :needle) > 0)
        AND (:any_set OR tag_set IN (SELECT value FROM json_each(:sets)))
) AS candidates CROSS JOIN asset ON asset.pk = candidates.pk
WHERE
    -- include: asset_conditions
;
