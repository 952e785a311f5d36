-- Read a user's sets of tags, also those that no asset has any more.
SELECT tags FROM tag_set WHERE user_id = :user_id;
