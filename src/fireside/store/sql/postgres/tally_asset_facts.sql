-- Count assets, named or made by jobs that are, by their facts, or with `by` -1 out.
INSERT INTO asset_fact_total (user_id, fact, tag_set, n)
SELECT user_id, fact, tag_set, :by::bigint * count(*) FROM asset JOIN asset_fact ON asset_pk = pk
WHERE pk IN (
    -- include: assets_touched
) GROUP BY user_id, fact, tag_set
ON CONFLICT (user_id, fact, tag_set) DO UPDATE SET n = asset_fact_total.n + excluded.n;
