-- Note something of each place of a piece, unless it was begun anew.
INSERT INTO asset_piece_column (user_id, first_place, what, entries)
SELECT user_id, first_place, :what, :entries FROM asset_piece
WHERE user_id = :user_id AND first_place = :first_place AND turn = :turn;
