-- Count a user's assets anew, by the forms of their titles.
SELECT tag_set, form, count(*) AS n FROM (
    SELECT CASE is_any WHEN 1 THEN 0 ELSE tag_set END AS tag_set,
        -- include: asset_form
        AS form
    FROM asset CROSS JOIN (SELECT 0 AS is_any UNION ALL SELECT 1) AS either WHERE user_id = :user_id
) AS keyed GROUP BY tag_set, form;
