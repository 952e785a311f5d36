-- Read the records of many names, given as a JSON list of [folder, subfolder, name].
SELECT asset.* FROM json_each(:files) AS file CROSS JOIN asset
    ON asset.folder = json_extract(file.value, '$[0]')
        AND asset.subfolder = json_extract(file.value, '$[1]')
        AND asset.name = json_extract(file.value, '$[2]')
WHERE asset.user_id = :user_id;
