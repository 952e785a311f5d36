-- What is walked along for a fact: its rows with the tags that are wanted, and what the row does not say.
whose = :user_id AND fact = (SELECT value::bigint FROM json_array_elements_text(:facts) AS facts (value))
AND (:any_set::boolean
    OR set_of_tags = ANY (ARRAY(SELECT value::integer FROM json_array_elements_text(:sets) AS sets (value))))
AND (NOT :asks_more::boolean OR 0 < (
    SELECT count(*) FROM asset WHERE asset.pk = asset_pk AND
        -- include: asset_conditions
))
