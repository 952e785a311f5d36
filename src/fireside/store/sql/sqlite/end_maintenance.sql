-- End maintenance.
DELETE FROM maintenance WHERE id = 1 RETURNING id;
