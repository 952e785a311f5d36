-- Forget some files.
DELETE FROM asset WHERE id IN (SELECT unhex(value) FROM json_each(:ids));
