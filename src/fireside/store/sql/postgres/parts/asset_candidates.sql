-- The assets that one condition of a search leaves over. Those of a title are read apart, for their `pk`, which no index
-- of other things has: the planner would read one of those whole, and take each title to pieces.
SELECT pk FROM asset WHERE :source::text = 'hash' AND hash = :hash AND user_id = :user_id
UNION ALL
SELECT pk FROM asset WHERE :source::text = 'jobs' AND user_id = :user_id
    AND job_id = ANY (ARRAY(SELECT value::uuid FROM json_array_elements_text(:jobs) AS ids (value)))
UNION ALL
SELECT DISTINCT asset_pk FROM asset_fact
WHERE :source::text = 'facts' AND whose = :user_id
    AND fact = ANY (ARRAY(SELECT value::bigint FROM json_array_elements_text(:facts) AS facts (value))) AND
    -- include: asset_fact_conditions
UNION ALL
SELECT DISTINCT asset_pk FROM (
    SELECT DISTINCT fact AS one, form FROM asset_fact_form
    WHERE :source::text = 'titled facts' AND user_id = :user_id
        AND fact = (SELECT value::bigint FROM json_array_elements_text(:facts) AS facts (value))
        AND strpos(form, :form::text) > 0
) AS wanted CROSS JOIN LATERAL (
    SELECT asset_pk FROM asset_fact
    WHERE whose = :user_id AND fact = one AND by_name BETWEEN form AND replace(form, '0', '9') AND
        -- include: asset_fact_conditions
    OFFSET 0
) AS with_title
UNION ALL
SELECT pk FROM titled
UNION ALL
SELECT pk FROM asset WHERE :source::text = 'tags' AND user_id = :user_id
    AND tag_set = ANY (ARRAY(SELECT value::integer FROM json_array_elements_text(:sets) AS sets (value)))
    AND (:needle::text = '' OR strpos(folded, :needle::text) > 0)
