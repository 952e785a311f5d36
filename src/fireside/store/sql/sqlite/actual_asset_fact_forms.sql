-- Count a user's assets anew, by their facts and the forms of their titles.
SELECT fact, tag_set, form, count(*) AS n FROM (
    SELECT fact, tag_set,
        -- include: asset_form
        AS form
    FROM asset_fact CROSS JOIN asset ON pk = asset_pk
    WHERE asset_pk BETWEEN :user_id << 40 AND (:user_id << 40) + 1099511627775
) AS keyed GROUP BY fact, tag_set, form;
