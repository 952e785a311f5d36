-- What a row of facts says itself of the conditions of a search: the tags and the title.
(:any_set OR set_of_tags IN (SELECT value FROM json_each(:sets))) AND (:needle = '' OR instr(by_name, :needle) > 0)
