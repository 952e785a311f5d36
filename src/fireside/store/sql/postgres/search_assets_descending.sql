-- Read a window of the assets that all conditions hold for, among those that one of them leaves over, from the last on.
WITH titled AS MATERIALIZED (
    -- include: asset_titled
), candidates AS MATERIALIZED (
    -- include: asset_candidates
)
SELECT asset.* FROM (
    SELECT pk, number, word, place FROM (
        SELECT asset.pk, place, CASE :sort::text WHEN 'name' THEN folded ELSE '' END AS word,
            CASE :sort::text WHEN 'updated_at' THEN updated_at WHEN 'size' THEN size_bytes WHEN 'last_access_time' THEN accessed_at ELSE 0 END AS number
        FROM candidates CROSS JOIN LATERAL (
            SELECT * FROM asset WHERE asset.pk = candidates.pk OFFSET 0
        ) AS asset
        WHERE
            -- include: asset_conditions
    ) AS found WHERE NOT :is_bounded::boolean OR (number, word, place) < (:number::bigint, :word::text, :place::bigint)
    ORDER BY number DESC, word DESC, place DESC LIMIT :limit OFFSET :offset
) AS page JOIN asset ON asset.pk = page.pk ORDER BY page.number DESC, page.word DESC, page.place DESC;
