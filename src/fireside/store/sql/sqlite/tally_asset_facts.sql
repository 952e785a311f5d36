-- Count assets, named or made by jobs that are, by their facts, or with `by` -1 out.
INSERT INTO asset_fact_total (user_id, fact, tag_set, n)
SELECT whose, fact, set_of_tags, :by * count(*) FROM asset_fact
WHERE asset_pk IN (
    -- include: assets_touched
) GROUP BY whose, fact, set_of_tags
ON CONFLICT (user_id, fact, tag_set) DO UPDATE SET n = n + excluded.n;
