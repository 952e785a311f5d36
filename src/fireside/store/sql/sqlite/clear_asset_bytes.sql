-- Forget how many bytes the files of a user have.
DELETE FROM asset_bytes WHERE user_id = :user_id;
