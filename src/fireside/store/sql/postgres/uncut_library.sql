-- Stop cutting a library into blocks.
DELETE FROM asset_cut WHERE user_id = :user_id;
