-- Note by its name what a job is to make.
INSERT INTO job_work (job_pk, work) SELECT pk, :work::bytea FROM job WHERE id = :id;
