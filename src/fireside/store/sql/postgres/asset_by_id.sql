-- Read a file's record.
SELECT * FROM asset WHERE id = :id AND user_id = :user_id;
