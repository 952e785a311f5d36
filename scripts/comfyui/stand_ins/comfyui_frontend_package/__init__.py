"""In the place of the editor's files: one empty page."""
