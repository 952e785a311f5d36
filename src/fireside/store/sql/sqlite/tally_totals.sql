-- Count jobs of some classes into the totals of histories, or with negative numbers out of them.
-- Given as a JSON list of lists: user, workflow ('' for all), class, how many jobs, how many of them did not run.
INSERT INTO job_total (user_id, workflow, class, n, idle)
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
    json_extract(value, '$[3]'), json_extract(value, '$[4]')
FROM json_each(:totals) WHERE true
ON CONFLICT (user_id, workflow, class) DO UPDATE SET n = n + excluded.n, idle = idle + excluded.idle;
