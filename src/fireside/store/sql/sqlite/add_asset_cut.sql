-- Begin a block.
INSERT INTO asset_cut (user_id, axis, number, word, place) VALUES (:user_id, :axis, :number, :word, :place) RETURNING id;
