-- Count the bytes of a user's files anew.
SELECT sum(size_bytes) AS bytes FROM asset WHERE user_id = :user_id GROUP BY user_id HAVING sum(size_bytes) > 0;
