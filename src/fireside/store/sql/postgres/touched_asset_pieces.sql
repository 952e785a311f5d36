-- Count the places of each sealed piece whose assets were read since.
SELECT first_place, count(*) AS n FROM asset_touched WHERE user_id = :user_id GROUP BY first_place;
