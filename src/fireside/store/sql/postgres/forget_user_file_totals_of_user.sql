-- Forget the total of the files of a user.
DELETE FROM user_file_total WHERE user_id = :user_id;
