-- Forget how many of a user's assets have a fact and a form of title.
DELETE FROM asset_fact_form WHERE user_id = :user_id;
