-- Forget the counters of file names of a user.
DELETE FROM file_counter WHERE user_id = :user_id;
