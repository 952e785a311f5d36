-- Read the names of a user's files in a folder; when there are more than the limit, those of the first folders below it.
SELECT CASE subfolder WHEN '' THEN name ELSE subfolder || '/' || name END AS path FROM (
    SELECT subfolder, name FROM asset
    WHERE user_id = :user_id AND folder = :folder ORDER BY subfolder, name LIMIT :limit
) AS few ORDER BY path;
