-- Forget the forms of these assets' titles that no asset has.
DELETE FROM asset_form WHERE n = 0 AND (user_id, tag_set, form) IN (
    SELECT user_id, CASE is_any WHEN 1 THEN 0 ELSE tag_set END AS tag_set,
        -- include: asset_form
        AS form
    FROM asset CROSS JOIN (SELECT 0 AS is_any UNION ALL SELECT 1) AS either
    WHERE pk IN (
        -- include: assets_touched
    )
);
