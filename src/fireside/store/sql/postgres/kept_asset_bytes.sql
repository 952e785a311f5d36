-- Read how many bytes the files of a user have, as it is kept.
SELECT bytes FROM asset_bytes WHERE user_id = :user_id AND bytes <> 0;
