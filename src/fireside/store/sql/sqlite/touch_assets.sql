-- Note when some assets were read.
UPDATE asset SET accessed_at = max(accessed_at, :at) WHERE id IN (SELECT unhex(value) FROM json_each(:ids));
