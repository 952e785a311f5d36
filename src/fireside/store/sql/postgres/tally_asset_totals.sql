-- Count assets, named or made by jobs that are, into the totals of their sets of tags, or with `by` -1 out of them.
INSERT INTO asset_total (user_id, tag_set, n)
SELECT user_id, tag_set, :by::bigint * count(*) FROM asset
WHERE pk IN (
    -- include: assets_touched
) GROUP BY user_id, tag_set
ON CONFLICT (user_id, tag_set) DO UPDATE SET n = asset_total.n + excluded.n;
