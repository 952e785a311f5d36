-- Read all that is known of a piece.
SELECT what, bits FROM asset_piece_bits WHERE user_id = :user_id AND first_place = :first_place;
