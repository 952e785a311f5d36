-- Read how many bytes each user stores: files, and what the editor keeps for them.
SELECT id AS user_id, coalesce((SELECT bytes FROM asset_bytes WHERE user_id = "user".id), 0)
    + coalesce((SELECT bytes FROM user_file_total WHERE user_id = "user".id), 0) AS bytes
FROM "user" ORDER BY id;
