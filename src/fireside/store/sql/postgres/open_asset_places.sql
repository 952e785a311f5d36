-- Read where assets that all conditions hold for stand, within ranges of places, given as a JSON list of [first, last]: as a
-- JSON list of place, set of tags, and number and word of another order.
SELECT coalesce(json_agg(json_build_array(place, tag_set,
    CASE :sort::text WHEN 'updated_at' THEN updated_at WHEN 'size' THEN size_bytes WHEN 'last_access_time' THEN accessed_at ELSE 0 END,
    CASE :sort::text WHEN 'name' THEN folded ELSE '' END
)), '[]')::text AS found
FROM (
    SELECT asset_pk AS pk FROM json_array_elements(:ranges::json) AS part (value) CROSS JOIN LATERAL (
        SELECT asset_pk FROM asset_fact
        WHERE whose = :user_id
            AND fact = ANY (ARRAY(SELECT value::bigint FROM json_array_elements_text(:facts) AS facts (value)))
            AND asset_pk BETWEEN (:user_id::bigint << 40) + (part.value ->> 0)::bigint
                AND (:user_id::bigint << 40) + (part.value ->> 1)::bigint AND
            -- include: asset_fact_conditions
        OFFSET 0
    ) AS had
    UNION ALL
    SELECT pk FROM json_array_elements(:ranges::json) AS part (value) CROSS JOIN LATERAL (
        SELECT pk FROM asset
        WHERE :facts::text = '[]' AND pk BETWEEN (:user_id::bigint << 40) + (part.value ->> 0)::bigint
            AND (:user_id::bigint << 40) + (part.value ->> 1)::bigint
            AND (:needle::text = '' OR strpos(folded, :needle::text) > 0)
            AND (:any_set::boolean
                OR tag_set = ANY (ARRAY(SELECT value::integer FROM json_array_elements_text(:sets) AS sets (value))))
        OFFSET 0
    ) AS standing
) AS candidates CROSS JOIN LATERAL (
    SELECT * FROM asset WHERE asset.pk = candidates.pk OFFSET 0
) AS asset
WHERE
    -- include: asset_conditions
;
