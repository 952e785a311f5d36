-- Forget the counts of these assets' facts that no asset has.
DELETE FROM asset_fact_total WHERE n = 0 AND (user_id, fact, tag_set) IN (
    SELECT whose, fact, set_of_tags FROM asset_fact WHERE asset_pk IN (
        -- include: assets_touched
    )
);
