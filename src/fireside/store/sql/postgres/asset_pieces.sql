-- Read the sealed pieces of a library, in create order.
SELECT first_place, last_place, has_tags, has_texts FROM asset_piece
WHERE user_id = :user_id AND is_sealed ORDER BY first_place;
