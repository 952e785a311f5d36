-- Read the forms of titles with a text in them, among the first forms, as a JSON list, and how many these are.
SELECT coalesce(json_agg(form) FILTER (WHERE strpos(form, :needle::text) > 0), '[]')::text AS found, count(*) AS forms FROM (
    SELECT form FROM asset_form WHERE user_id = :user_id AND tag_set = 0 LIMIT :limit
) AS few;
