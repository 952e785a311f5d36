-- Count assets of large libraries, named or made by jobs that are, into their block in each order, or with `by` -1 out of it.
INSERT INTO asset_block (cut_id, tag_set, n)
SELECT cut_id, tag_set, :by::bigint * count(*) FROM (
    SELECT tag_set, (
        SELECT id FROM asset_cut WHERE asset_cut.user_id = keyed.user_id AND asset_cut.axis = keyed.axis
            AND (asset_cut.number, asset_cut.word, asset_cut.place) <= (keyed.number, keyed.word, keyed.place)
        ORDER BY asset_cut.number DESC, asset_cut.word DESC, asset_cut.place DESC LIMIT 1
    ) AS cut_id FROM (
    SELECT axis, user_id, tag_set, place,
            CASE axis % 10 WHEN 3 THEN updated_at WHEN 4 THEN size_bytes WHEN 5 THEN accessed_at ELSE 0 END AS number,
            CASE axis % 10 WHEN 2 THEN folded ELSE '' END AS word
        FROM asset CROSS JOIN (VALUES (1), (2), (3), (4), (5), (11), (12), (13), (14), (15)) AS axes (axis)
        WHERE pk IN (
            -- include: assets_touched
        )
    ) AS keyed
) AS placed WHERE cut_id IS NOT NULL GROUP BY cut_id, tag_set
ON CONFLICT (cut_id, tag_set) DO UPDATE SET n = asset_block.n + excluded.n;
