-- Read which places have what is asked for, piece by piece, from one on.
SELECT first_place, what, bits
FROM json_each(:keys) AS wanted CROSS JOIN asset_piece_bits
    ON user_id = :user_id AND what = wanted.value AND first_place >= :begin;
