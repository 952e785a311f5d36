-- Read the files that some jobs have made, in the order they came; ids as a JSON list of hexadecimal digits.
SELECT * FROM (
    SELECT * FROM asset WHERE job_id = ANY (ARRAY(SELECT value::uuid FROM json_array_elements_text(:ids) AS ids (value))) OFFSET 0
) AS found ORDER BY pk;
