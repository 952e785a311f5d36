-- The title, as the row of a fact says it.
(:needle::text = '' OR strpos(by_name, :needle::text) > 0)
