-- Read the records of many names, given as a JSON list of [folder, subfolder, name].
SELECT asset.* FROM json_array_elements(:files) AS file (name) JOIN asset
    ON asset.folder = file.name ->> 0 AND asset.subfolder = file.name ->> 1 AND asset.name = file.name ->> 2
WHERE asset.user_id = :user_id;
