-- Find a token to join with, also one that is over.
SELECT * FROM join_token WHERE digest = :digest;
