-- Read a window of a user's jobs in states that share their classes with others, newest first.
SELECT * FROM job
WHERE pk >= :user_id::bigint << 40 AND pk < (:user_id::bigint + 1) << 40
    AND class = ANY (ARRAY(SELECT value::integer FROM json_array_elements_text(:classes) AS classes (value)))
    AND state = ANY (ARRAY(SELECT value FROM json_array_elements_text(:states) AS states (value)))
    AND (:workflow_id::text IS NULL OR workflow_id = :workflow_id)
ORDER BY pk DESC LIMIT :limit OFFSET :offset;
