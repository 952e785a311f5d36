-- Begin to cut a library into blocks: in each order, everything is in the first.
INSERT INTO asset_cut (user_id, axis, number, word, place)
SELECT :user_id::integer, axis, -1, '', 0 FROM (VALUES (1), (2), (3), (4), (5), (11), (12), (13), (14), (15)) AS axes (axis);
