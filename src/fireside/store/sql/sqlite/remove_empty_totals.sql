-- Forget the totals of some workflows that have become nothing.
DELETE FROM job_total
WHERE user_id = :user_id AND workflow IN (SELECT value FROM json_each(:workflows)) AND n = 0;
