-- Read a window of the assets that all conditions hold for, among those that one of them leaves over, from the first on.
SELECT asset.* FROM (
    SELECT pk, number, word, place FROM (
        SELECT asset.pk, place, CASE :sort WHEN 'name' THEN folded ELSE '' END AS word,
            CASE :sort WHEN 'updated_at' THEN updated_at WHEN 'size' THEN size_bytes WHEN 'last_access_time' THEN accessed_at ELSE 0 END AS number
        FROM (
            -- include: asset_candidates
        ) AS candidates CROSS JOIN asset ON asset.pk = candidates.pk
        WHERE
            -- include: asset_conditions
    ) AS found WHERE NOT :is_bounded OR (number, word, place) >= (:number, :word, :place)
    ORDER BY number, word, place LIMIT :limit OFFSET :offset
) AS page CROSS JOIN asset ON asset.pk = page.pk ORDER BY page.number, page.word, page.place;
