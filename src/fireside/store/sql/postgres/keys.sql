-- Read all keys.
SELECT * FROM api_key ORDER BY id;
