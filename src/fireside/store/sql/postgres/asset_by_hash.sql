-- Read a user's newest record of some bytes.
SELECT * FROM (
    SELECT * FROM asset WHERE hash = :hash AND user_id = :user_id OFFSET 0
) AS found ORDER BY pk DESC LIMIT 1;
