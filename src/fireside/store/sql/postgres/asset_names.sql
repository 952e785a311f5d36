-- Read the names of a user's files in a folder.
SELECT CASE subfolder WHEN '' THEN name ELSE subfolder || '/' || name END AS path FROM asset
WHERE user_id = :user_id AND folder = :folder ORDER BY path LIMIT :limit;
