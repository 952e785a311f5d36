"""Workflow graphs: read, validate against node definitions, name their kind of work, and find what they refer to."""
