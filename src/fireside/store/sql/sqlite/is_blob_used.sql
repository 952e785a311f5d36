-- Ask whether anything refers to some bytes.
SELECT 1 AS used WHERE EXISTS (SELECT 1 FROM asset WHERE hash = :hash)
OR EXISTS (SELECT 1 FROM user_file WHERE hash = :hash)
OR EXISTS (SELECT 1 FROM model WHERE hash = :hash)
OR EXISTS (
    SELECT 1 FROM job_input JOIN job ON job.pk = job_input.job_pk WHERE hash = :hash AND job.ended_at IS NULL
);
