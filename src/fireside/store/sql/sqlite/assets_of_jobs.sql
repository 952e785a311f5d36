-- Read the files that some jobs have made, in the order they came; ids as a JSON list of hexadecimal digits.
SELECT * FROM asset WHERE job_id IN (SELECT unhex(value) FROM json_each(:ids)) ORDER BY pk;
