-- Read the turns of the sealed pieces of a library as one text, which tells whether something is known otherwise.
SELECT coalesce(group_concat(turn || access_turn), '') AS turns FROM asset_piece
WHERE user_id = :user_id AND is_sealed AND edition = :edition;
