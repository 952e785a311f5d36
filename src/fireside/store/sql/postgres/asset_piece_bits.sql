-- Read which places have what is asked for, piece by piece, from one on.
SELECT first_place, what, bits FROM json_array_elements_text(:keys) AS wanted (value) CROSS JOIN LATERAL (
    SELECT first_place, what, bits FROM asset_piece_bits
    WHERE user_id = :user_id AND what = wanted.value AND first_place >= :begin::bigint OFFSET 0
) AS known;
