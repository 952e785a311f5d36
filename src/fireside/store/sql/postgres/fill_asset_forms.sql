-- Count a user's assets by the forms of their titles; there are no counts.
INSERT INTO asset_form (user_id, tag_set, form, n)
SELECT :user_id::integer, tag_set, form, n FROM (
    SELECT tag_set, form, count(*) AS n FROM (
        SELECT CASE is_any WHEN 1 THEN 0 ELSE tag_set END AS tag_set,
            -- include: asset_form
            AS form
        FROM asset CROSS JOIN (VALUES (0), (1)) AS either (is_any) WHERE user_id = :user_id
    ) AS keyed GROUP BY tag_set, form
) AS counted;
