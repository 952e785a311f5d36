-- Count a user's assets anew, by their sets of tags.
SELECT tag_set, count(*) AS n FROM asset WHERE user_id = :user_id GROUP BY tag_set;
