-- Count the assets that all conditions hold for by their sets of tags, among those that one condition leaves over.
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
SELECT tag_set, count(*) AS n FROM candidates CROSS JOIN LATERAL (
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
GROUP BY tag_set;
