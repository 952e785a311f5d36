-- Count the assets whose titles have a form with a text in it, whatever their tags, among the first forms; and between which
-- words all of them are.
SELECT coalesce(sum(n), 0) AS n, min(form) AS first_word, max(replace(form, '0', '9')) AS last_word, (
    SELECT count(*) FROM (SELECT 1 FROM asset_form WHERE user_id = :user_id AND tag_set = 0 LIMIT :limit) AS few
) AS forms
FROM (
    SELECT form AS one FROM (SELECT form FROM asset_form WHERE user_id = :user_id AND tag_set = 0 LIMIT :limit) AS few
    WHERE instr(form, :needle) > 0
) AS found CROSS JOIN asset_form ON user_id = :user_id AND form = one AND tag_set = 0;
