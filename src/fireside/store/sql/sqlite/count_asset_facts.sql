-- Count the assets of some sets of tags that have each of these facts.
SELECT fact, tag_set, n FROM asset_fact_total WHERE user_id = :user_id
    AND fact IN (SELECT value FROM json_each(:facts))
    AND tag_set IN (SELECT value FROM json_each(:sets));
