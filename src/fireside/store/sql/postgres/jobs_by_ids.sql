-- Read those of some jobs that are the user's; ids as a JSON list of hexadecimal digits.
SELECT * FROM job WHERE id = ANY (ARRAY(SELECT value::uuid FROM json_array_elements_text(:ids) AS ids (value)))
    AND user_id = :user_id;
