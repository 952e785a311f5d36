-- Name the files of a folder, without those in folders below it, the newest first.
SELECT name FROM asset WHERE user_id = :user_id AND folder = :folder AND subfolder = '' ORDER BY place DESC LIMIT :limit;
