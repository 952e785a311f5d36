-- Count files that came or went.
UPDATE user_file_total SET files = files + :files, bytes = bytes + :bytes WHERE user_id = :user_id RETURNING files, bytes;
