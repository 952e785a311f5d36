-- Read at which places of a library titles have a text, as a JSON list.
SELECT json_group_array(place) AS found FROM asset INDEXED BY asset_all_named
WHERE user_id = :user_id AND instr(folded, :needle) > 0;
