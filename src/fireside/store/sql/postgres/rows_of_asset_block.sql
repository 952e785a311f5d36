-- Read how many assets of each set of tags a block holds.
SELECT tag_set, n FROM asset_block WHERE cut_id = :cut_id AND n <> 0;
