-- Read how many assets a user has of each set of tags.
SELECT asset_total.tag_set, n, tags FROM asset_total JOIN tag_set
    ON tag_set.user_id = asset_total.user_id AND tag_set.tag_set = asset_total.tag_set
WHERE asset_total.user_id = :user_id AND n > 0;
