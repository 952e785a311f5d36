-- Forget what is known of a user's library piece by piece.
DELETE FROM asset_piece WHERE user_id = :user_id;
