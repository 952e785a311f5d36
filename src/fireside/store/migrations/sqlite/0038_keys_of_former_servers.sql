-- At which start of the worker the end of its key was noted: a former server, beside this one, notes starts alone.
ALTER TABLE enrollment ADD COLUMN key_booted_at INTEGER;
