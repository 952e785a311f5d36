-- Say that when assets of a sealed piece were read is not known as it was.
UPDATE asset_piece SET access_turn = :turn WHERE user_id = :user_id AND first_place = :first_place AND is_sealed
RETURNING last_place, turn;
