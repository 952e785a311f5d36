-- Forget the totals of a user's assets.
DELETE FROM asset_total WHERE user_id = :user_id;
