-- What is walked along for a fact: its rows with the tags that are wanted, and what the row does not say.
whose = :user_id AND fact = (SELECT value FROM json_each(:facts))
AND (:any_set OR set_of_tags IN (SELECT value FROM json_each(:sets)))
AND (NOT :asks_more OR EXISTS (
    SELECT 1 FROM asset WHERE asset.pk = asset_pk AND
        -- include: asset_conditions
))
