-- Forget which assets of a piece were read since it was sealed.
DELETE FROM asset_touched WHERE user_id = :user_id AND first_place = :first_place;
