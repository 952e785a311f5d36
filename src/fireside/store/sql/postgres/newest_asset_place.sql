-- Read where the newest asset of a library stands.
SELECT coalesce(max(place), 0) AS place FROM asset WHERE user_id = :user_id;
