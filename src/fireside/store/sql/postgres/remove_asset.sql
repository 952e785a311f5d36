-- Forget a file.
DELETE FROM asset WHERE id = :id;
