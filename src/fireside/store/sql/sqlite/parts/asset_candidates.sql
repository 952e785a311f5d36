-- The assets that one condition of a search leaves over.
SELECT pk FROM asset INDEXED BY asset_hash WHERE :source = 'hash' AND hash = :hash AND user_id = :user_id
UNION ALL
SELECT pk FROM asset INDEXED BY asset_of_job
WHERE :source = 'jobs' AND job_id IS NOT NULL AND job_id IN (SELECT unhex(value) FROM json_each(:jobs))
    AND user_id = :user_id
UNION ALL
SELECT DISTINCT asset_pk FROM asset_fact INDEXED BY asset_fact_created
WHERE :source = 'facts' AND whose = :user_id AND fact IN (SELECT value FROM json_each(:facts)) AND
    -- include: asset_fact_conditions
UNION ALL
SELECT DISTINCT asset_pk FROM (
    SELECT DISTINCT fact AS one, form FROM asset_fact_form
    WHERE :source = 'titled facts' AND user_id = :user_id AND fact = (SELECT value FROM json_each(:facts))
        AND instr(form, :form) > 0
) AS wanted CROSS JOIN asset_fact INDEXED BY asset_fact_named
    ON whose = :user_id AND fact = one AND by_name BETWEEN form AND replace(form, '0', '9')
WHERE
    -- include: asset_fact_conditions
UNION ALL
SELECT rowid FROM asset_title WHERE :source = 'title' AND asset_title MATCH (
    SELECT group_concat('"' || replace(value, '"', '""') || '"', ' AND ') FROM json_each(:grams)
)
    AND rowid BETWEEN :user_id << 40 AND (:user_id << 40) + 1099511627775
UNION ALL
SELECT pk FROM asset INDEXED BY asset_named
WHERE :source = 'tags' AND user_id = :user_id AND tag_set IN (SELECT value FROM json_each(:sets))
    AND (:needle = '' OR instr(folded, :needle) > 0)
