-- Count the assets with a fact whose titles have a form with a text in it by their sets of tags, among the first counts; and
-- between which words all of them are.
SELECT tag_set, count(*) AS counts, sum(CASE WHEN instr(form, :needle) > 0 THEN n ELSE 0 END) AS n,
    min(CASE WHEN instr(form, :needle) > 0 THEN form END) AS first_word,
    max(CASE WHEN instr(form, :needle) > 0 THEN replace(form, '0', '9') END) AS last_word
FROM (
    SELECT tag_set, form, n FROM asset_fact_form
    WHERE user_id = :user_id AND fact = (SELECT value FROM json_each(:facts)) LIMIT :limit
) AS few GROUP BY tag_set;
