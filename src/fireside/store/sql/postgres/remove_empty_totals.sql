-- Forget the totals of some workflows that have become nothing.
DELETE FROM job_total
WHERE user_id = :user_id
    AND workflow = ANY (ARRAY(SELECT value FROM json_array_elements_text(:workflows) AS workflows (value)))
    AND n = 0;
