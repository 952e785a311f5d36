-- Read the files a job has made, in the order they came.
SELECT * FROM (
    SELECT * FROM asset WHERE job_id = :job_id OFFSET 0
) AS found ORDER BY pk;
