-- The title, as the row of a fact says it.
(:needle = '' OR instr(by_name, :needle) > 0)
