-- Read the counts of a user's assets by their facts as they are kept.
SELECT fact, tag_set, n FROM asset_fact_total WHERE user_id = :user_id;
