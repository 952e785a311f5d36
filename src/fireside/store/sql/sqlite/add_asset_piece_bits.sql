-- Note which places of a piece have something, unless it was begun anew.
INSERT INTO asset_piece_bits (user_id, first_place, what, bits)
SELECT user_id, first_place, :what, :bits FROM asset_piece
WHERE user_id = :user_id AND first_place = :first_place AND turn = :turn;
