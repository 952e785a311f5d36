-- Begin to know a piece of a library: what changes in it is noted from now on.
INSERT INTO asset_piece (user_id, first_place, last_place, turn, is_sealed, has_tags, has_texts, has_forms, edition)
VALUES (:user_id, :first_place, :last_place, :turn, FALSE, FALSE, FALSE, FALSE, :edition);
