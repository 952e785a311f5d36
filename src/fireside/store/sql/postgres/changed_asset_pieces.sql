-- Count the places of each sealed piece that have changed since.
SELECT first_place, count(*) AS n FROM asset_changed WHERE user_id = :user_id GROUP BY first_place;
