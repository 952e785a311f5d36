-- A title with all its digits the same, so that numbered files have one form.
replace(replace(replace(replace(replace(replace(replace(replace(replace(folded, '1', '0'), '2', '0'), '3', '0'), '4', '0'), '5', '0'), '6', '0'), '7', '0'), '8', '0'), '9', '0')
