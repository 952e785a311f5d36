-- Read which blocks are too large, or so small that they go together with the one before; the ones before come first.
-- A fine block with which a coarse one begins stays.
SELECT user_id, axis, id, number, word, place, before_id, is_small, next_number, next_word, next_place FROM (
    SELECT user_id, axis, asset_cut.id, number, word, place, n,
        lag(asset_cut.id) OVER cuts AS before_id,
        coalesce(n + lag(n) OVER cuts <= CASE WHEN axis > 10 THEN :coarse_small::bigint ELSE :small::bigint END, false)
            AND NOT EXISTS (
                SELECT 1 FROM asset_cut AS coarse WHERE coarse.user_id = asset_cut.user_id
                    AND coarse.axis = asset_cut.axis + 10 AND coarse.number = asset_cut.number
                    AND coarse.word = asset_cut.word AND coarse.place = asset_cut.place
            ) AS is_small,
        lead(number) OVER cuts AS next_number, lead(word) OVER cuts AS next_word, lead(place) OVER cuts AS next_place
    FROM asset_cut JOIN (
        SELECT asset_cut.id AS counted_id, coalesce(sum(n), 0)::bigint AS n
        FROM asset_cut LEFT JOIN asset_block ON cut_id = asset_cut.id GROUP BY asset_cut.id
    ) AS counted ON counted_id = asset_cut.id
    WINDOW cuts AS (PARTITION BY user_id, axis ORDER BY number, word, place)
) AS measured WHERE n > CASE WHEN axis > 10 THEN :coarse_large::bigint ELSE :large::bigint END OR is_small ORDER BY user_id, axis, number, word, place LIMIT :limit;
