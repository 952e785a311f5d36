-- Forget the file at a path.
DELETE FROM user_file WHERE user_id = :user_id AND path = :path RETURNING *;
