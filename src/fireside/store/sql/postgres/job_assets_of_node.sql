-- Read the files that one node of a job has made.
SELECT * FROM (
    SELECT * FROM asset WHERE job_id = :id AND node_id = :node_id OFFSET 0
) AS found ORDER BY pk;
