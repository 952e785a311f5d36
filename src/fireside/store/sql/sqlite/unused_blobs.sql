-- Read those of some blobs that nothing refers to.
SELECT one.value AS hash FROM json_each(:hashes) AS one
WHERE NOT EXISTS (SELECT 1 FROM asset WHERE hash = one.value)
AND NOT EXISTS (SELECT 1 FROM user_file WHERE hash = one.value)
AND NOT EXISTS (SELECT 1 FROM model WHERE hash = one.value) AND NOT EXISTS (
    SELECT 1 FROM job_input JOIN job ON job.pk = job_input.job_pk WHERE hash = one.value AND job.ended_at IS NULL
);
