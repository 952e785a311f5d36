-- Read a user's own records of some bytes, those that no job made, the oldest first.
SELECT * FROM asset WHERE hash = :hash AND user_id = :user_id AND job_id IS NULL ORDER BY pk LIMIT :limit;
