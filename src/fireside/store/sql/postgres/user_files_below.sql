-- List the files between two paths, by path: all below a folder.
SELECT * FROM user_file WHERE user_id = :user_id AND path > :after AND path < :until ORDER BY path LIMIT :limit;
