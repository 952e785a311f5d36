-- Count all assets of a user into the first blocks of each order, which are the only ones.
INSERT INTO asset_block (cut_id, tag_set, n)
SELECT asset_cut.id, tag_set, n FROM asset_cut JOIN asset_total ON asset_total.user_id = asset_cut.user_id
WHERE asset_cut.user_id = :user_id AND n > 0;
