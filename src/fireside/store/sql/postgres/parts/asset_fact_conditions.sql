-- What a row of facts says itself of the conditions of a search: the tags and the title.
(:any_set::boolean
    OR set_of_tags = ANY (ARRAY(SELECT value::integer FROM json_array_elements_text(:sets) AS sets (value))))
AND (:needle::text = '' OR strpos(by_name, :needle::text) > 0)
