-- Have jobs that waited for an equal one ask for a worker: all of this work, or the one with this key.
UPDATE job SET requirement_id = equal_job.requirement_id FROM equal_job
WHERE equal_job.work = :work AND equal_job.user_id = :user_id AND equal_job.requirement_id IS NOT NULL
    AND job.pk = equal_job.job_pk AND (:job_pk IS NULL OR job.pk = :job_pk);
