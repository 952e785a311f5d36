-- Count some assets into a block, or with a negative number out of it.
INSERT INTO asset_block (cut_id, tag_set, n) VALUES (:cut_id, :tag_set, :by)
ON CONFLICT (cut_id, tag_set) DO UPDATE SET n = n + excluded.n;
