-- List the files of one folder behind a path, by path; with the primary key all files behind it would be looked at.
SELECT * FROM user_file INDEXED BY user_file_in_folder
WHERE user_id = :user_id AND folder = :folder AND path > :after ORDER BY path LIMIT :limit;
