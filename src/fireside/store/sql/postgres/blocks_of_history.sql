-- Read how many jobs of some classes lie in each block of a part of an axis.
SELECT block, sum(n)::bigint AS n FROM job_block
WHERE user_id = :user_id AND workflow = :workflow AND axis = :axis
    AND class = ANY (ARRAY(SELECT value::integer FROM json_array_elements_text(:classes) AS classes (value)))
    AND block BETWEEN :low AND :high
GROUP BY block HAVING sum(n) > 0 ORDER BY block;
