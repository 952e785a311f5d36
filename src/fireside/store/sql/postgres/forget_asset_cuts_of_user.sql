-- Forget the cuts of a user.
DELETE FROM asset_cut WHERE user_id = :user_id;
