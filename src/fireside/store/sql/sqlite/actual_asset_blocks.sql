-- Count the blocks of a user's library anew, as they are cut now.
SELECT asset_cut.axis, asset_cut.number, asset_cut.word, asset_cut.place, tag_set, count(*) AS n FROM (
    SELECT tag_set, (
        SELECT id FROM asset_cut WHERE asset_cut.user_id = keyed.user_id AND asset_cut.axis = keyed.axis
            AND (asset_cut.number, asset_cut.word, asset_cut.place) <= (keyed.number, keyed.word, keyed.place)
        ORDER BY asset_cut.number DESC, asset_cut.word DESC, asset_cut.place DESC LIMIT 1
    ) AS cut_id FROM (
    SELECT axis, user_id, tag_set, place,
            CASE axis % 10 WHEN 3 THEN updated_at WHEN 4 THEN size_bytes WHEN 5 THEN accessed_at ELSE 0 END AS number,
            CASE axis % 10 WHEN 2 THEN folded ELSE '' END AS word
        FROM asset CROSS JOIN (SELECT column1 AS axis FROM (VALUES (1), (2), (3), (4), (5), (11), (12), (13), (14), (15)) AS all_axes) AS axes
        WHERE user_id = :user_id
    ) AS keyed
) AS placed JOIN asset_cut ON asset_cut.id = cut_id
GROUP BY asset_cut.id, asset_cut.axis, asset_cut.number, asset_cut.word, asset_cut.place, tag_set;
