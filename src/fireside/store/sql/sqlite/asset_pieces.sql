-- Read the sealed pieces of a library, in create order; what a turn tells of a piece stays as it is.
SELECT first_place, last_place, turn, access_turn, has_tags, has_texts, has_forms FROM asset_piece
WHERE user_id = :user_id AND is_sealed AND edition = :edition ORDER BY first_place;
