-- Count the bytes of a user's files anew; they are not counted yet.
INSERT INTO asset_bytes (user_id, bytes)
SELECT user_id, sum(size_bytes) FROM asset WHERE user_id = :user_id GROUP BY user_id;
