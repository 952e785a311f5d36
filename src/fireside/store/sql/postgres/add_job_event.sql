-- Note what has happened to a job.
INSERT INTO job_event (job_pk, kind, at, data) SELECT pk, :kind, :at, :data FROM job WHERE id = :id;
