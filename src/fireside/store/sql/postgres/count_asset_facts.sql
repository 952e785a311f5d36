-- Count the assets of some sets of tags that have each of these facts.
SELECT fact, tag_set, n FROM asset_fact_total WHERE user_id = :user_id
    AND fact = ANY (ARRAY(SELECT value::bigint FROM json_array_elements_text(:facts) AS facts (value)))
    AND tag_set = ANY (ARRAY(SELECT value::integer FROM json_array_elements_text(:sets) AS sets (value)));
