-- Count the bytes of assets, named or made by jobs that are, in, or with `by` -1 out.
INSERT INTO asset_bytes (user_id, bytes)
SELECT user_id, :by::bigint * sum(size_bytes)::bigint FROM asset
WHERE pk IN (
    -- include: assets_touched
) GROUP BY user_id
ON CONFLICT (user_id) DO UPDATE SET bytes = asset_bytes.bytes + excluded.bytes;
