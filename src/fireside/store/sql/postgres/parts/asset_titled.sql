-- The assets whose titles have all three-character parts of a text.
SELECT pk FROM asset WHERE :source::text = 'title'
    AND asset_grams(user_id, folded) @> ARRAY(
        SELECT :user_id::integer || ':' || value FROM json_array_elements_text(:grams) AS grams (value)
    )
