-- Count the assets that one condition leaves over, up to a limit.
SELECT count(*) AS n FROM (
    SELECT pk FROM (
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
    ) AS candidates LIMIT :limit
) AS few;
