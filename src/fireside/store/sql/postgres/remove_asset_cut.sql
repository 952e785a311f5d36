-- Forget a block.
DELETE FROM asset_cut WHERE id = :cut_id;
