-- Count jobs of some classes into the totals of histories, or with negative numbers out of them.
-- Given as a JSON list of lists: user, workflow ('' for all), class, how many jobs, how many of them did not run.
INSERT INTO job_total (user_id, workflow, class, n, idle)
SELECT (value ->> 0)::integer, value ->> 1, (value ->> 2)::integer, (value ->> 3)::bigint, (value ->> 4)::bigint
FROM json_array_elements(:totals) AS totals (value)
ON CONFLICT (user_id, workflow, class) DO UPDATE SET
    n = job_total.n + excluded.n, idle = job_total.idle + excluded.idle;
