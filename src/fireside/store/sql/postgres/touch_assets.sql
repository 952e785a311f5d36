-- Note when some assets were read.
UPDATE asset SET accessed_at = greatest(accessed_at, :at::bigint)
WHERE id = ANY (ARRAY(SELECT value::uuid FROM json_array_elements_text(:ids) AS ids (value)));
