-- Read the counts of a user's assets by the forms of their titles as they are kept.
SELECT tag_set, form, n FROM asset_form WHERE user_id = :user_id;
