-- Find the block of a library, in one of its orders, that holds the row of a place in rising order: where the block begins
-- and ends, how many rows stand before it and how many it holds. No rows of a library that is not cut into blocks.
SELECT number, word, place, next_number, next_word, next_place, before, n AS "rows" FROM (
    SELECT number, word, place, n, (sum(n) OVER cuts)::bigint - n AS before,
        lead(number) OVER cuts AS next_number, lead(word) OVER cuts AS next_word, lead(place) OVER cuts AS next_place
    FROM (
        SELECT number, word, place, coalesce(sum(n), 0)::bigint AS n
        FROM asset_cut LEFT JOIN asset_block ON cut_id = asset_cut.id
            AND tag_set = ANY (ARRAY(SELECT value::integer FROM json_array_elements_text(:sets) AS sets (value)))
        WHERE user_id = :user_id AND axis = :axis::integer GROUP BY asset_cut.id, number, word, place
    ) AS counted WINDOW cuts AS (ORDER BY number, word, place)
) AS numbered WHERE before <= :at_place::bigint AND :at_place::bigint < before + n;
