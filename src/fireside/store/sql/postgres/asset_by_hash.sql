-- Read a user's newest record of some bytes.
SELECT * FROM asset WHERE hash = :hash AND user_id = :user_id ORDER BY pk DESC LIMIT 1;
