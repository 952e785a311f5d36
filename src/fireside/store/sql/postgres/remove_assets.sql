-- Forget some files.
DELETE FROM asset WHERE id = ANY (ARRAY(SELECT value::uuid FROM json_array_elements_text(:ids) AS ids (value)));
