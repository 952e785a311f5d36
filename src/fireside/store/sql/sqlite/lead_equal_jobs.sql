-- Make a job that waited the one that goes.
UPDATE equal_job SET requirement_id = NULL WHERE job_pk = :job_pk;
