-- Count the assets whose titles have a form with a text in it, by sets of tags.
SELECT one.tag_set, sum(one.n) AS n
FROM asset_form AS every CROSS JOIN asset_form AS one
WHERE every.user_id = :user_id AND every.tag_set = 0 AND instr(every.form, :needle) > 0
    AND one.user_id = :user_id AND one.form = every.form AND one.tag_set > 0
    AND (:any_set OR one.tag_set IN (SELECT value FROM json_each(:sets)))
GROUP BY one.tag_set;
