-- Forget sets of tags that no asset of the user has.
DELETE FROM tag_set WHERE user_id = :user_id
    AND NOT EXISTS (SELECT 1 FROM asset WHERE asset.user_id = :user_id AND asset.tag_set = tag_set.tag_set);
