-- Forget the files of a user.
DELETE FROM user_file WHERE user_id = :user_id;
