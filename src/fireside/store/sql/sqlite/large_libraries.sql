-- Read whose libraries have become large and are not cut into blocks yet.
SELECT user_id FROM asset_total AS one
WHERE NOT EXISTS (SELECT 1 FROM asset_cut WHERE asset_cut.user_id = one.user_id)
GROUP BY user_id HAVING sum(n) >= :at_least;
