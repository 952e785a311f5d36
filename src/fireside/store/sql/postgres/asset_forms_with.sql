-- Read the forms of titles with a text in them, among the first forms, and how many these are.
SELECT form, forms FROM (
    SELECT form, count(*) OVER () AS forms FROM (
        SELECT form FROM asset_form WHERE user_id = :user_id AND tag_set = 0 LIMIT :limit
    ) AS few
) AS counted WHERE strpos(form, :needle::text) > 0;
