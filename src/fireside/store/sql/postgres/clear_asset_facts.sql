-- Forget how many of a user's assets have a fact.
DELETE FROM asset_fact_total WHERE user_id = :user_id;
