-- Count a user's assets anew; there are no totals.
INSERT INTO asset_total (user_id, tag_set, n)
SELECT user_id, tag_set, count(*) FROM asset WHERE user_id = :user_id GROUP BY user_id, tag_set;
