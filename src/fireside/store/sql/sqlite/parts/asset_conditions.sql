-- All conditions of a search, on a row of assets.
asset.user_id = :user_id AND (:any_set OR tag_set IN (SELECT value FROM json_each(:sets)))
AND (:needle = '' OR instr(folded, :needle) > 0) AND (:hash = '' OR hash = :hash)
AND (NOT :by_jobs OR job_id IN (SELECT unhex(value) FROM json_each(:jobs)))
AND (:wanted = '[]' OR NOT EXISTS (
    SELECT 1 FROM json_each(:wanted) AS one WHERE NOT EXISTS (
        SELECT 1 FROM asset_fact
        WHERE asset_pk = asset.pk AND fact IN (SELECT fact.value FROM json_each(one.value) AS fact)
    )
))
AND (:unwanted = '[]' OR NOT EXISTS (
    SELECT 1 FROM asset_fact WHERE asset_pk = asset.pk AND fact IN (SELECT value FROM json_each(:unwanted))
))
