-- Read the record of a name.
SELECT * FROM asset WHERE user_id = :user_id AND folder = :folder AND subfolder = :subfolder AND name = :name;
