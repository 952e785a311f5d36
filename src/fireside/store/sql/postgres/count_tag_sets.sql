-- Count a user's sets of tags.
SELECT count(*) AS n FROM tag_set WHERE user_id = :user_id;
