-- Read those of the jobs at some places that are of a workflow, in one of the states, with all the labels, newest first.
SELECT * FROM job
WHERE pk IN (SELECT value FROM json_each(:places))
    AND state IN (SELECT value FROM json_each(:states))
    AND (:workflow_id IS NULL OR workflow_id = :workflow_id)
    AND NOT EXISTS (
        SELECT 1 FROM json_each(:labels) AS wanted WHERE NOT EXISTS (
            SELECT 1 FROM job_label WHERE job_pk = pk AND key = wanted.key AND value = wanted.value
        )
    )
ORDER BY pk DESC LIMIT :limit;
