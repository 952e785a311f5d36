-- Assets, named or made by jobs that are.
SELECT pk FROM asset WHERE id IN (SELECT unhex(value) FROM json_each(:ids))
UNION ALL
SELECT pk FROM asset WHERE job_id IN (SELECT unhex(value) FROM json_each(:jobs))
