-- Read those of some jobs that are the user's; ids as a JSON list of hexadecimal digits.
SELECT * FROM job WHERE id IN (SELECT unhex(value) FROM json_each(:ids)) AND user_id = :user_id;
