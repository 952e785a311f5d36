-- Read what jobs ask of a worker, by a JSON list of ids as hexadecimal digits.
SELECT id, body FROM requirement
WHERE id = ANY (ARRAY(SELECT value::uuid FROM json_array_elements_text(:ids) AS names (value)));
