-- Forget something of each place of a piece.
DELETE FROM asset_piece_column WHERE user_id = :user_id AND first_place = :first_place AND what = :what;
