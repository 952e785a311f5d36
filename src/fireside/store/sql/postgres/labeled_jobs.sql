-- Read those of the jobs at some places that are of a workflow, in one of the states, with all the labels, newest first.
SELECT * FROM job
WHERE pk = ANY (ARRAY(SELECT value::bigint FROM json_array_elements_text(:places::json) AS places (value)))
    AND state = ANY (ARRAY(SELECT value FROM json_array_elements_text(:states::json) AS states (value)))
    AND (:workflow_id::text IS NULL OR workflow_id = :workflow_id)
    AND NOT EXISTS (
        SELECT 1 FROM json_each_text(:labels::json) AS wanted WHERE NOT EXISTS (
            SELECT 1 FROM job_label WHERE job_pk = job.pk AND key = wanted.key AND value = wanted.value
        )
    )
ORDER BY pk DESC LIMIT :limit;
