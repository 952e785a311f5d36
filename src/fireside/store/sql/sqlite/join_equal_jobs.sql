-- Have a job that was just queued join those of its user that make the same: the first one goes, the others wait for it.
INSERT INTO equal_job (job_pk, user_id, work, requirement_id)
SELECT pk, user_id, :work, CASE WHEN EXISTS (
    SELECT 1 FROM equal_job AS first
    WHERE first.work = :work AND first.user_id = job.user_id AND first.requirement_id IS NULL
) THEN requirement_id END FROM job WHERE id = :id;
