-- Read a job.
SELECT * FROM job WHERE id = :id;
