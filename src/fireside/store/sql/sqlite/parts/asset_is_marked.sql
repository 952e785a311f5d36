-- Whether the bit of an asset's place is set, the lowest of a byte first: found in one of its two hexadecimal digits.
instr('0123456789ABCDEF', substr(hex(substr(:marked, (place >> 3) + 1, 1)), 2 - (place >> 2 & 1), 1)) - 1 >> (place & 3) & 1
