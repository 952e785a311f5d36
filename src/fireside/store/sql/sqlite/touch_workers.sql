-- Note that these workers are there.
UPDATE worker SET seen_at = :now WHERE id IN (SELECT value FROM json_each(:ids));
