-- Count assets, named or made by jobs that are, into the totals of their sets of tags, or with `by` -1 out of them.
INSERT INTO asset_total (user_id, tag_set, n)
SELECT user_id, tag_set, :by::bigint * count(*) FROM asset
WHERE pk IN (
    SELECT pk FROM asset
    WHERE id = ANY (ARRAY(SELECT value::uuid FROM json_array_elements_text(:ids) AS ids (value)))
    UNION ALL
    SELECT pk FROM asset
    WHERE job_id = ANY (ARRAY(SELECT value::uuid FROM json_array_elements_text(:jobs) AS ids (value)))
) GROUP BY user_id, tag_set
ON CONFLICT (user_id, tag_set) DO UPDATE SET n = asset_total.n + excluded.n;
