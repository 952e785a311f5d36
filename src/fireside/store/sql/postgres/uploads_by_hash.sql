-- Read a user's own records of some bytes, those that no job made, the oldest first.
SELECT * FROM (
    SELECT * FROM asset WHERE hash = :hash AND user_id = :user_id AND job_id IS NULL OFFSET 0
) AS found ORDER BY pk LIMIT :limit;
