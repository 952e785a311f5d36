-- Read the totals of a user's assets as they are kept.
SELECT tag_set, n FROM asset_total WHERE user_id = :user_id AND n <> 0;
