-- Read a user's records of some bytes in one folder.
SELECT * FROM (
    SELECT * FROM asset
    WHERE hash = :hash AND user_id = :user_id AND folder = :folder AND subfolder = :subfolder OFFSET 0
) AS found ORDER BY pk;
