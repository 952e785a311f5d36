-- Read some of a user's assets.
SELECT * FROM asset
WHERE id = ANY (ARRAY(SELECT value::uuid FROM json_array_elements_text(:ids) AS ids (value))) AND user_id = :user_id;
