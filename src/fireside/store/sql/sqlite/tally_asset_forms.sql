-- Count assets, named or made by jobs that are, by the forms of their titles, or with `by` -1 out: for their set of tags, and
-- for all sets as set 0.
INSERT INTO asset_form (user_id, tag_set, form, n)
SELECT user_id, tag_set, form, :by * count(*) FROM (
    SELECT user_id, CASE is_any WHEN 1 THEN 0 ELSE tag_set END AS tag_set,
        -- include: asset_form
        AS form
    FROM asset CROSS JOIN (SELECT 0 AS is_any UNION ALL SELECT 1) AS either
    WHERE pk IN (
        -- include: assets_touched
    )
) AS keyed GROUP BY user_id, tag_set, form
ON CONFLICT (user_id, tag_set, form) DO UPDATE SET n = n + excluded.n;
