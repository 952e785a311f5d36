-- Read the forms of titles with a text in them, among the first forms, as a JSON list, and how many these are.
SELECT json_group_array(form) FILTER (WHERE instr(form, :needle) > 0) AS found, count(*) AS forms FROM (
    SELECT form FROM asset_form WHERE user_id = :user_id AND tag_set = 0 LIMIT :limit
) AS few;
