-- Count the bytes of assets, named or made by jobs that are, in, or with `by` -1 out.
INSERT INTO asset_bytes (user_id, bytes)
SELECT user_id, :by * sum(size_bytes) FROM asset
WHERE pk IN (
    -- include: assets_touched
) GROUP BY user_id
ON CONFLICT (user_id) DO UPDATE SET bytes = bytes + excluded.bytes;
