-- Count the assets that all conditions hold for by their sets of tags, among those that one condition leaves over.
SELECT tag_set, count(*) AS n FROM (
    -- include: asset_candidates
) AS candidates CROSS JOIN asset ON asset.pk = candidates.pk
WHERE
    -- include: asset_conditions
GROUP BY tag_set;
