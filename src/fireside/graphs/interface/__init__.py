"""Named inputs and outputs of saved workflows: declared, held against the nodes, and given values.

`saved` reads a file and what it declares (`declared`, `app_mode`), `places` and `editor_places` find what a declaration
points at in either format, `signature` says what each named input takes, `values` holds given values against that, and
`schema` writes it down for programs.
"""
