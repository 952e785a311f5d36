-- Count the assets that have each of these facts, by their sets of tags.
SELECT fact, tag_set, n FROM asset_fact_total WHERE user_id = :user_id
    AND fact = ANY (ARRAY(SELECT value::bigint FROM json_array_elements_text(:facts) AS facts (value)));
