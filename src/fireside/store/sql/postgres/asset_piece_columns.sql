-- Read something of each place of a library, piece by piece, from one on.
SELECT first_place, entries FROM asset_piece_column
WHERE user_id = :user_id AND what = :what AND first_place >= :begin::bigint ORDER BY first_place;
