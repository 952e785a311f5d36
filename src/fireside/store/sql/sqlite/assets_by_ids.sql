-- Read some of a user's assets.
SELECT * FROM asset WHERE id IN (SELECT unhex(value) FROM json_each(:ids)) AND user_id = :user_id;
