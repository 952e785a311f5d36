-- Whether the bit of an asset's place is set, the lowest of a byte first.
CASE WHEN place >> 3 < length(:marked::bytea) THEN get_bit(:marked::bytea, place) = 1 ELSE false END
