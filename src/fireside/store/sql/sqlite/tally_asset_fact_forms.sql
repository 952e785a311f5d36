-- Count assets, named or made by jobs that are, by each of their facts with the form of their title, or with `by` -1 out.
INSERT INTO asset_fact_form (user_id, fact, form, tag_set, n)
SELECT whose, fact, form, set_of_tags, :by * count(*) FROM (
    SELECT whose, fact, set_of_tags,
        -- include: asset_form
        AS form
    FROM (
        SELECT whose, fact, set_of_tags, by_name AS folded FROM asset_fact WHERE asset_pk IN (
            -- include: assets_touched
        )
    ) AS named
) AS keyed GROUP BY whose, fact, form, set_of_tags
ON CONFLICT (user_id, fact, form, tag_set) DO UPDATE SET n = n + excluded.n;
