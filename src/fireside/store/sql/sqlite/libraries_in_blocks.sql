-- Read whose libraries are cut into blocks.
SELECT id AS user_id FROM user AS one WHERE EXISTS (SELECT 1 FROM asset_cut WHERE asset_cut.user_id = one.id);
