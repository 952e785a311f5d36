-- Count the assets with a fact whose titles have a form with a text in it by their sets of tags, among the first counts; and
-- between which words all of them are.
SELECT tag_set, count(*) AS counts, sum(CASE WHEN strpos(form, :needle::text) > 0 THEN n ELSE 0 END)::bigint AS n,
    min(CASE WHEN strpos(form, :needle::text) > 0 THEN form END) AS first_word,
    max(CASE WHEN strpos(form, :needle::text) > 0 THEN replace(form, '0', '9') END) AS last_word
FROM (
    SELECT tag_set, form, n FROM asset_fact_form
    WHERE user_id = :user_id AND fact = (SELECT value::bigint FROM json_array_elements_text(:facts) AS facts (value))
    LIMIT :limit
) AS few GROUP BY tag_set;
