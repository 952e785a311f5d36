-- The assets that one condition of a search leaves over.
SELECT pk FROM asset INDEXED BY asset_hash WHERE :source = 'hash' AND hash = :hash AND user_id = :user_id
UNION ALL
SELECT pk FROM asset INDEXED BY asset_of_job
WHERE :source = 'jobs' AND job_id IS NOT NULL AND job_id IN (SELECT unhex(value) FROM json_each(:jobs))
    AND user_id = :user_id
UNION ALL
SELECT DISTINCT asset_pk FROM asset_fact WHERE :source = 'facts' AND fact IN (SELECT value FROM json_each(:facts))
    AND asset_pk BETWEEN :user_id << 40 AND (:user_id << 40) + 1099511627775
UNION ALL
SELECT rowid FROM asset_title WHERE :source = 'title' AND asset_title MATCH (
    SELECT group_concat('"' || replace(value, '"', '""') || '"', ' AND ') FROM json_each(:grams)
)
    AND rowid BETWEEN :user_id << 40 AND (:user_id << 40) + 1099511627775
UNION ALL
SELECT pk FROM asset INDEXED BY asset_named
WHERE :source = 'tags' AND user_id = :user_id AND tag_set IN (SELECT value FROM json_each(:sets))
    AND (:needle = '' OR instr(folded, :needle) > 0)
