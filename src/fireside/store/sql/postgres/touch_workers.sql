-- Note that these workers are there.
UPDATE worker SET seen_at = :now::bigint
WHERE id = ANY (ARRAY(SELECT value FROM json_array_elements_text(:ids) AS names (value)));
