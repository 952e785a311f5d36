-- Count the assets whose titles have a form with a text in it, whatever their tags, among the first forms; and between which
-- words all of them are.
SELECT coalesce(sum(CASE WHEN strpos(form, :needle::text) > 0 THEN n END), 0)::bigint AS n, count(*) AS forms,
    min(CASE WHEN strpos(form, :needle::text) > 0 THEN form END) AS first_word,
    max(CASE WHEN strpos(form, :needle::text) > 0 THEN replace(form, '0', '9') END) AS last_word
FROM (SELECT form, n FROM asset_form WHERE user_id = :user_id AND tag_set = 0 LIMIT :limit) AS few;
