-- Forget a job that has ended among those that make the same, unless others wait for it.
DELETE FROM equal_job WHERE job_pk = (SELECT pk FROM job WHERE id = :id) AND (
    requirement_id IS NOT NULL OR NOT EXISTS (
        SELECT 1 FROM equal_job AS other WHERE other.work = equal_job.work AND other.job_pk <> equal_job.job_pk
    )
);
