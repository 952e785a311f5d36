-- Forget the counts of these assets' facts that no asset has.
DELETE FROM asset_fact_total WHERE n = 0 AND (user_id, fact, tag_set) IN (
    SELECT user_id, fact, tag_set FROM asset JOIN asset_fact ON asset_pk = pk
    WHERE pk IN (
        -- include: assets_touched
    )
);
