-- List the files of one folder behind a path, by path.
SELECT * FROM user_file WHERE user_id = :user_id AND folder = :folder AND path > :after ORDER BY path LIMIT :limit;
