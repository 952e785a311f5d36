-- Count a user's assets by their facts; there are no counts.
INSERT INTO asset_fact_total (user_id, fact, tag_set, n)
SELECT :user_id, fact, tag_set, n FROM (
    SELECT fact, tag_set, count(*) AS n FROM asset_fact CROSS JOIN asset ON pk = asset_pk
    WHERE asset_pk BETWEEN :user_id << 40 AND (:user_id << 40) + 1099511627775 GROUP BY fact, tag_set
) AS counted;
