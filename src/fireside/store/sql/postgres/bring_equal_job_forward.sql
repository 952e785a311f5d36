-- Have the job that an equal one waits for stand in the queue where that one does, if it stands behind.
UPDATE job SET number = mine.number FROM (
    SELECT number, (
        SELECT first.job_pk FROM equal_job AS first
        WHERE first.work = follower.work AND first.user_id = follower.user_id AND first.requirement_id IS NULL
    ) AS first_pk
    FROM job CROSS JOIN LATERAL (SELECT * FROM equal_job WHERE job_pk = job.pk OFFSET 0) AS follower
    WHERE job.id = :id AND follower.requirement_id IS NOT NULL OFFSET 0
) AS mine
-- Not by the index of jobs that wait, however few they seem to be.
WHERE job.pk = mine.first_pk AND job.state || '' = 'queued' AND job.number > mine.number;
