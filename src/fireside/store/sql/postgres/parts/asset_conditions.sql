-- All conditions of a search, on a row of assets.
asset.user_id = :user_id
AND (:any_set::boolean
    OR tag_set = ANY (ARRAY(SELECT value::integer FROM json_array_elements_text(:sets) AS sets (value))))
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
