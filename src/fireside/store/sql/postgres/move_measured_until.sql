-- Note up to which hash the bytes of older versions were looked at; none when all were.
UPDATE blob_measuring SET measured_until = :hash WHERE id = 1;
