-- Read a window of the assets that all conditions hold for, among those that one of them leaves over, from the last on.
WITH candidates AS MATERIALIZED (
    SELECT pk FROM asset WHERE :source::text = 'hash' AND hash = :hash AND user_id = :user_id
    UNION ALL
    SELECT pk FROM asset WHERE :source::text = 'jobs' AND user_id = :user_id
        AND job_id = ANY (ARRAY(SELECT value::uuid FROM json_array_elements_text(:jobs) AS ids (value)))
    UNION ALL
    SELECT DISTINCT asset_pk FROM asset_fact WHERE :source::text = 'facts'
        AND fact = ANY (ARRAY(SELECT value::bigint FROM json_array_elements_text(:facts) AS facts (value)))
        AND asset_pk BETWEEN :user_id::bigint << 40 AND (:user_id::bigint << 40) + 1099511627775
    UNION ALL
    SELECT pk FROM asset WHERE :source::text = 'title'
        AND asset_grams(user_id, folded) @> ARRAY(
            SELECT :user_id::integer || ':' || value FROM json_array_elements_text(:grams) AS grams (value)
        )
    UNION ALL
    SELECT pk FROM asset WHERE :source::text = 'tags' AND user_id = :user_id
        AND tag_set = ANY (ARRAY(SELECT value::integer FROM json_array_elements_text(:sets) AS sets (value)))
        AND (:needle::text = '' OR strpos(folded, :needle::text) > 0)
)
SELECT * FROM (
    SELECT asset.*, CASE :sort::text WHEN 'updated_at' THEN updated_at WHEN 'size' THEN size_bytes WHEN 'last_access_time' THEN accessed_at ELSE 0 END AS number,
        CASE :sort::text WHEN 'name' THEN folded ELSE '' END AS word
    FROM candidates CROSS JOIN LATERAL (
        SELECT * FROM asset WHERE asset.pk = candidates.pk OFFSET 0
    ) AS asset
    WHERE asset.user_id = :user_id
        AND tag_set = ANY (ARRAY(SELECT value::integer FROM json_array_elements_text(:sets) AS sets (value)))
        AND (:needle::text = '' OR strpos(folded, :needle::text) > 0) AND (:hash::text = '' OR hash = :hash)
        AND (NOT :by_jobs::boolean
            OR job_id = ANY (ARRAY(SELECT value::uuid FROM json_array_elements_text(:jobs) AS ids (value))))
        AND (:wanted::text = '[]' OR 0 = (
            SELECT count(*) FROM json_array_elements(:wanted::json) AS one (facts) WHERE NOT EXISTS (
                SELECT 1 FROM asset_fact WHERE asset_pk = asset.pk
                    AND fact IN (SELECT value::bigint FROM json_array_elements_text(one.facts) AS fact (value))
            )
        ))
        AND (:unwanted::text = '[]' OR 0 = (
            SELECT count(*) FROM asset_fact WHERE asset_pk = asset.pk
                AND fact = ANY (ARRAY(SELECT value::bigint FROM json_array_elements_text(:unwanted::json) AS facts (value)))
        ))
) AS found WHERE NOT :is_bounded::boolean OR (number, word, place) < (:number::bigint, :word::text, :place::bigint)
ORDER BY number DESC, word DESC, place DESC LIMIT :limit OFFSET :offset;
