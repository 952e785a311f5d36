-- The forms of titles that have a text in them, each with every set of tags that is wanted and has some. Compare +one: the
-- affinity of a column is nothing that an index of forms has.
SELECT one.form AS one, one.tag_set AS tagged FROM asset_form AS every CROSS JOIN asset_form AS one
WHERE every.user_id = :user_id AND every.tag_set = 0 AND instr(every.form, :form) > 0
    AND one.user_id = :user_id AND one.form = every.form AND one.tag_set > 0 AND one.n > 0
    AND (:any_set OR one.tag_set IN (SELECT value FROM json_each(:sets)))
