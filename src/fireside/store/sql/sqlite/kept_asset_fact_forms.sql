-- Read the counts of a user's assets by their facts and the forms of their titles as they are kept.
SELECT fact, tag_set, form, n FROM asset_fact_form WHERE user_id = :user_id;
