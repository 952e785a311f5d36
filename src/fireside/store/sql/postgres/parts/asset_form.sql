-- A title with all its digits the same, so that numbered files have one form.
translate(folded, '123456789', '000000000')
