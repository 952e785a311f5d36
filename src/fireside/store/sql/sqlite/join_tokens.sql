-- Read all tokens to join with.
SELECT * FROM join_token ORDER BY id;
