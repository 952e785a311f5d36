-- Read the blocks of a user's library as they are kept.
SELECT axis, number, word, place, tag_set, n FROM asset_cut JOIN asset_block ON cut_id = asset_cut.id
WHERE user_id = :user_id AND n <> 0;
