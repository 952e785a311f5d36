-- Count the assets that one condition leaves over, up to a limit.
WITH titled AS MATERIALIZED (
    -- include: asset_titled
)
SELECT count(*) AS n FROM (
    SELECT pk FROM (
        -- include: asset_candidates
    ) AS candidates LIMIT :limit
) AS few;
