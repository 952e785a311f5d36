-- Read how many jobs of some classes lie in each block of a part of an axis.
SELECT block, sum(n) AS n FROM job_block
WHERE user_id = :user_id AND workflow = :workflow AND axis = :axis
    AND class IN (SELECT value FROM json_each(:classes)) AND block BETWEEN :low AND :high
GROUP BY block HAVING sum(n) > 0 ORDER BY block;
