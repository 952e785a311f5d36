-- Count what is in a block into the one before.
INSERT INTO asset_block (cut_id, tag_set, n)
SELECT :before_id, tag_set, n FROM asset_block WHERE cut_id = :cut_id AND n <> 0
ON CONFLICT (cut_id, tag_set) DO UPDATE SET n = n + excluded.n;
