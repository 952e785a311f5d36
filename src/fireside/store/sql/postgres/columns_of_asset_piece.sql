-- Read all that is known of each place of a piece.
SELECT what, entries FROM asset_piece_column WHERE user_id = :user_id AND first_place = :first_place;
