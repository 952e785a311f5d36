-- Read at which places of a library titles have a text, as a JSON list.
SELECT coalesce(json_agg(place), '[]')::text AS found FROM asset
WHERE user_id = :user_id AND strpos(folded, :needle::text) > 0;
