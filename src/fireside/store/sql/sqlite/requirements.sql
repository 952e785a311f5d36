-- Read what jobs ask of a worker, by a JSON list of ids as hexadecimal digits.
SELECT id, body FROM requirement WHERE id IN (SELECT unhex(value) FROM json_each(:ids));
