-- Read what the counters know of those of some jobs that are the user's and have ended.
SELECT id, class, run_us, workflow_id FROM job
WHERE id = ANY (ARRAY(SELECT value::uuid FROM json_array_elements_text(:ids) AS ids (value)))
    AND user_id = :user_id AND ended_at IS NOT NULL;
