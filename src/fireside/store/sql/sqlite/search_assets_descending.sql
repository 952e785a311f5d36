-- Read a window of the assets that all conditions hold for, among those that one of them leaves over, from the last on.
SELECT * FROM (
    SELECT asset.*, CASE :sort WHEN 'updated_at' THEN updated_at WHEN 'size' THEN size_bytes WHEN 'last_access_time' THEN accessed_at ELSE 0 END AS number,
        CASE :sort WHEN 'name' THEN folded ELSE '' END AS word
    FROM (
        SELECT pk FROM asset WHERE :source = 'hash' AND hash = :hash AND user_id = :user_id
        UNION ALL
        SELECT pk FROM asset
        WHERE :source = 'jobs' AND job_id IN (SELECT unhex(value) FROM json_each(:jobs)) AND user_id = :user_id
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
    ) AS candidates CROSS JOIN asset ON asset.pk = candidates.pk
    WHERE asset.user_id = :user_id AND tag_set IN (SELECT value FROM json_each(:sets))
        AND (:needle = '' OR instr(folded, :needle) > 0) AND (:hash = '' OR hash = :hash)
        AND (NOT :by_jobs OR job_id IN (SELECT unhex(value) FROM json_each(:jobs)))
        AND NOT EXISTS (
            SELECT 1 FROM json_each(:wanted) AS one WHERE NOT EXISTS (
                SELECT 1 FROM asset_fact
                WHERE asset_pk = asset.pk AND fact IN (SELECT fact.value FROM json_each(one.value) AS fact)
            )
        )
        AND (:unwanted = '[]' OR NOT EXISTS (
            SELECT 1 FROM asset_fact WHERE asset_pk = asset.pk AND fact IN (SELECT value FROM json_each(:unwanted))
        ))
) AS found WHERE NOT :is_bounded OR (number, word, place) < (:number, :word, :place)
ORDER BY number DESC, word DESC, place DESC LIMIT :limit OFFSET :offset;
