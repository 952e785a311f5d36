-- Forget what is known of a piece, and what has changed in it.
DELETE FROM asset_piece WHERE user_id = :user_id AND first_place = :first_place;
