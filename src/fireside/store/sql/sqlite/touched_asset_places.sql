-- Read at which places of sealed pieces assets were read since, up to a limit.
SELECT place FROM asset_touched WHERE user_id = :user_id ORDER BY place LIMIT :limit;
