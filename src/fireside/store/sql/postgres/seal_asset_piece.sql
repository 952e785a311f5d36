-- Seal a piece of which all is noted, unless it was begun anew.
UPDATE asset_piece SET is_sealed = TRUE, has_tags = :has_tags, has_texts = :has_texts, has_forms = :has_forms
WHERE user_id = :user_id AND first_place = :first_place AND turn = :turn;
