-- Read which places of sealed pieces have changed since, up to a limit.
SELECT place FROM asset_changed WHERE user_id = :user_id ORDER BY place LIMIT :limit;
