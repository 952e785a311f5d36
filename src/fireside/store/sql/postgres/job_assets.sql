-- Read the files a job has made, in the order they came.
SELECT * FROM asset WHERE job_id = :job_id ORDER BY pk;
