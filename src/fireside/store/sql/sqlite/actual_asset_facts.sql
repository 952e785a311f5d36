-- Count a user's assets anew, by their facts.
SELECT fact, tag_set, count(*) AS n FROM asset_fact CROSS JOIN asset ON pk = asset_pk
WHERE asset_pk BETWEEN :user_id << 40 AND (:user_id << 40) + 1099511627775 GROUP BY fact, tag_set;
