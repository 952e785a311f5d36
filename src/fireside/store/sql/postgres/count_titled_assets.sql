-- Count the assets of some sets of tags whose titles hold a text.
SELECT count(*) AS n FROM asset
WHERE user_id = :user_id AND strpos(folded, :needle) > 0
    AND tag_set = ANY (ARRAY(SELECT value::integer FROM json_array_elements_text(:sets) AS sets (value)));
