-- Read at which places of a library from one on titles have a text, as a JSON list.
SELECT json_group_array(place) AS found FROM asset
WHERE pk BETWEEN (:user_id << 40) + :begin AND (:user_id << 40) + :end AND instr(folded, :needle) > 0;
