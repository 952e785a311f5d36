"""Workflow graphs: read, converted from the editor's files, validated, and looked through for what they refer to."""
