-- Find the number of a set of tags among a user's.
SELECT tag_set FROM tag_set WHERE user_id = :user_id AND tags = :tags;
