-- Read some assets of a user.
SELECT id FROM asset WHERE user_id = :user_id LIMIT :limit;
