-- Forget how many of a user's assets have a form of title.
DELETE FROM asset_form WHERE user_id = :user_id;
