"""The verbs of a job, one file each; nothing else changes a job's state."""
