-- Have the job that an equal one waits for stand in the queue where that one does, if it stands behind.
UPDATE job SET number = mine.number
FROM job AS mine JOIN equal_job AS follower ON follower.job_pk = mine.pk AND follower.requirement_id IS NOT NULL
WHERE mine.id = :id AND job.state = 'queued' AND job.number > mine.number AND job.pk = (
    SELECT first.job_pk FROM equal_job AS first
    WHERE first.work = follower.work AND first.user_id = follower.user_id AND first.requirement_id IS NULL
);
