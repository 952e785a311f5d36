-- Read a window of the assets at some places by name, the first ones first.
SELECT asset.* FROM (
    SELECT pk, folded, place FROM json_each(:places) AS wanted CROSS JOIN asset ON pk = (:user_id << 40) + wanted.value
    WHERE NOT :is_bounded OR (folded, place) > (:word, :place)
    ORDER BY folded, place LIMIT :limit OFFSET :offset
) AS page CROSS JOIN asset ON asset.pk = page.pk ORDER BY page.folded, page.place;
