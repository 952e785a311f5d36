-- Count the assets that all conditions hold for by their sets of tags, among those that one condition leaves over.
WITH titled AS MATERIALIZED (
    -- include: asset_titled
), candidates AS MATERIALIZED (
    -- include: asset_candidates
)
SELECT tag_set, count(*) AS n FROM candidates CROSS JOIN LATERAL (
    SELECT * FROM asset WHERE asset.pk = candidates.pk OFFSET 0
) AS asset
WHERE
    -- include: asset_conditions
GROUP BY tag_set;
