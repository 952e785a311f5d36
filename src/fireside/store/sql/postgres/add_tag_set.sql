-- Give a new set of tags the user's next number.
INSERT INTO tag_set (user_id, tag_set, tags)
SELECT :user_id::integer, coalesce(max(tag_set), 0) + 1, :tags::text FROM tag_set WHERE user_id = :user_id::integer
RETURNING tag_set;
