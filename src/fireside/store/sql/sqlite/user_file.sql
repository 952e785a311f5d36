-- Read the file at a path.
SELECT * FROM user_file WHERE user_id = :user_id AND path = :path;
