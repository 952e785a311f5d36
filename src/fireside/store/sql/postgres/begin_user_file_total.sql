-- Begin to count the files of a user.
INSERT INTO user_file_total (user_id, files, bytes) VALUES (:user_id, :files, :bytes) RETURNING files, bytes;
