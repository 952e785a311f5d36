-- The forms of titles that have a text in them, each with every set of tags that is wanted and has some.
SELECT one.form AS one, one.tag_set AS tagged FROM asset_form AS every CROSS JOIN asset_form AS one
WHERE every.user_id = :user_id AND every.tag_set = 0 AND strpos(every.form, :form::text) > 0
    AND one.user_id = :user_id AND one.form = every.form AND one.tag_set > 0 AND one.n > 0
    AND (:any_set::boolean
        OR one.tag_set = ANY (ARRAY(SELECT value::integer FROM json_array_elements_text(:sets) AS sets (value))))
